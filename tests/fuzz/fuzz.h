/*
 * fuzz.h - what every fuzz target defines. With libFuzzer (-Dfuzzers=true) it is called with bytes
 * made to hurt; without, replay.c calls it with the files of the target's corpus.
 */
#ifndef SOCKLAPSE_FUZZ_H
#define SOCKLAPSE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
