/* SPDX-License-Identifier: MIT */
/*
 * In place of a fuzzer: runs a target with given inputs. For compilers without libFuzzer, for
 * regressions, and for debuggers.
 *
 * usage: fuzz_TARGET [PLACE | --random COUNT]...
 *
 * PLACE is a file that is an input; a directory of such files; or a list of inputs, NAME.hex, one a
 * line, in hexadecimal, with blank lines and comments (#). --random: that many inputs of a
 * generator, the same each time.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PATH_SIZE = 4096,
    LINE_SIZE = 8192,
    RANDOM_SIZE_MAX = 512,
};

static int count;

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

/* The input lies in memory of exactly its size: who reads beyond it is caught. What it was called
 * is the last that is printed when it does not come back. */
static void run(const uint8_t *bytes, size_t size, const char *place, long number)
{
    uint8_t *data = malloc(size != 0 ? size : 1);

    if (data == NULL)
        give_up(place, strerror(errno));
    if (size != 0)
        memcpy(data, bytes, size);
    fprintf(stderr, "%s:%ld\n", place, number);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    count++;
}

static void replay_input(const char *path, FILE *file, size_t size)
{
    uint8_t *bytes = malloc(size != 0 ? size : 1);

    if (bytes == NULL || fread(bytes, 1, size, file) != size)
        give_up(path, "cannot be read");
    run(bytes, size, path, 1);
    free(bytes);
}

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef", *found = strchr(digits, c);

    return c == '\0' || found == NULL ? -1 : (int)(found - digits);
}

static void replay_list(const char *path, FILE *file)
{
    char line[LINE_SIZE];
    uint8_t bytes[LINE_SIZE / 2];

    for (long number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        size_t length = strcspn(line, "\n"), size = length / 2;

        if (length == 0 || line[0] == '#')
            continue;
        for (size_t i = 0; i < size; i++) {
            int high = digit_of(line[2 * i]), low = digit_of(line[2 * i + 1]);

            if (high < 0 || low < 0)
                give_up(path, "has a line that is no input");
            bytes[i] = (uint8_t)(high << 4 | low);
        }
        if (length % 2 != 0 || line[length] != '\n')
            give_up(path, "has a line that is cut off");
        run(bytes, size, path, number);
    }
}

static void replay(const char *path)
{
    char inner[PATH_SIZE];
    struct dirent *entry;
    struct stat status;
    size_t length = strlen(path);

    if (stat(path, &status) != 0)
        give_up(path, strerror(errno));
    if (!S_ISDIR(status.st_mode)) {
        FILE *file = fopen(path, "rb");

        if (file == NULL)
            give_up(path, strerror(errno));
        if (length > 4 && strcmp(path + length - 4, ".hex") == 0)
            replay_list(path, file);
        else
            replay_input(path, file, (size_t)status.st_size);
        fclose(file);
        return;
    }
    DIR *directory = opendir(path);

    if (directory == NULL)
        give_up(path, strerror(errno));
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        replay(inner);
    }
    closedir(directory);
}

/* splitmix64 */
static uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Half of the bytes are small: of a random byte most numbers are nothing that a target waits for.
 */
static void replay_random(long inputs)
{
    uint8_t bytes[RANDOM_SIZE_MAX];

    for (long number = 0; number < inputs; number++) {
        uint64_t seed = (uint64_t)number;
        size_t size = random_next(&seed) % (number % 2 == 0 ? 32 : RANDOM_SIZE_MAX);

        for (size_t i = 0; i < size; i++) {
            uint64_t dice = random_next(&seed);

            bytes[i] = (uint8_t)((dice & 1) != 0 ? dice >> 8 : dice >> 8 & 7);
        }
        run(bytes, size, "random", number);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--random") != 0)
            replay(argv[i]);
        else if (++i < argc)
            replay_random(strtol(argv[i], NULL, 10));
    }
    printf("%d inputs\n", count);
    return 0;
}
