/* sound.h - is a recording whole, and is everything in it that was reported as written? */
#ifndef SOCKLAPSE_TEST_SOUND_H
#define SOCKLAPSE_TEST_SOUND_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens the recording as the analyzer does, has SQLite check it, and decodes every frame from the
 * key frame of snapshot `since` on. Says in `why` what is wrong. *ret_last: the last snapshot's id.
 */
bool sound(const char *path, int64_t since, int64_t *ret_last, char why[512]);

#endif
