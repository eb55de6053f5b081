/* A main for fuzz targets without a fuzzer: FILE or FOLDER arguments, each file is one input. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int inputs;

static int replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size ? size : 1); /* of the exact size, so that ASan sees a step too far */
    FILE *file = fopen(path, "rb");
    int result = -1;

    if (file && data && fread(data, 1, size, file) == size) {
        LLVMFuzzerTestOneInput(data, size);
        inputs++;
        result = 0;
    } else {
        perror(path);
    }
    if (file)
        fclose(file);
    free(data);
    return result;
}

static int replay(const char *path)
{
    struct dirent **entries;
    struct stat info;
    int count, result = 0;

    if (stat(path, &info) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(info.st_mode))
        return replay_file(path, (size_t)info.st_size);
    count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = NULL;

        if (entries[i]->d_name[0] != '.' && asprintf(&inner, "%s/%s", path, entries[i]->d_name) > 0)
            result |= replay(inner);
        free(inner);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return count < 0 ? -1 : result;
}

int main(int argc, char **argv)
{
    int result = 0;

    for (int i = 1; i < argc; i++)
        result |= replay(argv[i]);
    printf("%d inputs\n", inputs);
    return result != 0 || inputs == 0;
}
