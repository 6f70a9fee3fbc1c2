/*
 * replay.c - runs a fuzz target over files and folders of files, each also cut short at several
 * places and with single bytes turned over: a small fuzzer where there is no libFuzzer.
 *
 *   fuzz_NAME FILE|FOLDER...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX_BYTES (1 << 20)
#define CUTS		64
#define FLIPS		512

static unsigned runs;

/* The bytes lie at the very end of an allocation, so that a sanitizer sees a read beyond them. */
static void run(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		exit(1);
	if (len)
		memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	runs++;
}

static void run_variants(uint8_t *bytes, size_t len)
{
	run(bytes, len);
	for (size_t i = 0; i < CUTS && i < len; i++)
		run(bytes, len * i / CUTS);
	size_t step = len / FLIPS + 1;
	for (size_t i = 0; i < len; i += step) {
		uint8_t was = bytes[i];
		bytes[i] = (uint8_t)(was ^ (1u << (i % 8)));
		run(bytes, len);
		bytes[i] = 0xff;
		run(bytes, len);
		bytes[i] = was;
	}
}

static int replay_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX_BYTES];
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	size_t len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	run_variants(bytes, len);
	return 0;
}

static int replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return replay_file(path);
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	int bad = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		char name[4096];
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		bad |= replay_file(name);
	}
	closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = argc < 2;
	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	printf("%u runs\n", runs);
	return bad || !runs;
}
