/* Files held open: the one that only grows, which a journal stands on, and the one that is read in pieces. */
#include "world/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct real_file {
    struct disk_file base; /* first */
    char *path;
    int fd;
    uint64_t size;
    int broken; /* errno of the failure after which nothing about the file is certain */
};

static struct real_file *file_of(struct disk_file *file)
{
    return (struct real_file *)(void *)file;
}

static int file_check(const struct real_file *file, struct err *err)
{
    return file->broken ? disk_err(err, file->broken, file->path, "an earlier write or sync failed") : 0;
}

struct disk_file *disk_file_open(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    bool made = false;
    struct stat buf;
    int fd = open(path, flags);

    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT | O_EXCL, mode);
        made = fd >= 0;
        if (fd < 0 && errno == EEXIST)
            fd = open(path, flags); /* another process was quicker */
    }
    if (fd < 0 || fstat(fd, &buf) != 0) {
        disk_err(err, errno, path, "cannot be opened");
        goto failed;
    }
    if (!S_ISREG(buf.st_mode)) {
        err_set(err, ERR_USAGE, "%s: not an ordinary file", path);
        goto failed;
    }
    if (made && fchmod(fd, mode) != 0) {
        disk_err(err, errno, path, "cannot be opened");
        goto failed;
    }
    if (made && disk_sync_parent(path, err) != 0)
        goto failed;
    struct real_file *file = mem_alloc(sizeof(*file));
    file->base.world = world;
    file->path = mem_text(path);
    file->fd = fd;
    file->size = (uint64_t)buf.st_size;
    return &file->base;
failed:
    if (fd >= 0)
        close(fd);
    return NULL;
}

int disk_file_append(struct disk_file *base, struct view data, struct err *err)
{
    struct real_file *file = file_of(base);
    size_t done = 0;

    if (file_check(file, err) != 0)
        return -1;
    while (done < data.len) {
        ssize_t len = write(file->fd, data.ptr + done, data.len - done);

        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0) {
            int number = len < 0 ? errno : EIO;

            if (done && ftruncate(file->fd, (off_t)file->size) != 0)
                file->broken = errno;
            return disk_err(err, number, file->path, "cannot be written");
        }
        done += (size_t)len;
    }
    file->size += data.len;
    return 0;
}

int disk_file_sync(struct disk_file *base, struct err *err)
{
    struct real_file *file = file_of(base);

    if (file_check(file, err) != 0)
        return -1;
    if (fdatasync(file->fd) == 0)
        return 0;
    /* The kernel may have dropped the pages and say so only once: no later sync can be believed. */
    file->broken = errno;
    return disk_err(err, file->broken, file->path, "cannot be synced");
}

int disk_file_reserve(struct disk_file *base, uint64_t size, struct err *err)
{
    struct real_file *file = file_of(base);

    if (file_check(file, err) != 0)
        return -1;
    if (size <= file->size || fallocate(file->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0)
        return 0;
    /* Where a file system cannot reserve, a full disk shows itself at the append. */
    return errno == EOPNOTSUPP ? 0 : disk_err(err, errno, file->path, "space cannot be reserved");
}

int disk_file_truncate(struct disk_file *base, uint64_t size, struct err *err)
{
    struct real_file *file = file_of(base);

    if (file_check(file, err) != 0)
        return -1;
    if (ftruncate(file->fd, (off_t)size) != 0)
        return disk_err(err, errno, file->path, "cannot be cut");
    file->size = size;
    return 0;
}

int disk_file_lock(struct disk_file *base, struct err *err)
{
    struct real_file *file = file_of(base);

    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? 1 : disk_err(err, errno, file->path, "cannot be locked");
}

void disk_file_close(struct disk_file *base)
{
    struct real_file *file = file_of(base);

    close(file->fd);
    free(file->path);
    free(file);
}

/* ---- reading in pieces ---- */

struct disk_file *disk_reader_open(struct world *world, const char *path, struct err *err)
{
    struct stat buf;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &buf) != 0) {
        disk_err(err, errno, path, "cannot be opened");
        goto failed;
    }
    if (!S_ISREG(buf.st_mode)) {
        err_set(err, ERR_USAGE, "%s: not an ordinary file", path);
        goto failed;
    }
    struct real_file *file = mem_alloc(sizeof(*file));
    file->base.world = world;
    file->path = mem_text(path);
    file->fd = fd;
    file->size = (uint64_t)buf.st_size;
    return &file->base;
failed:
    if (fd >= 0)
        close(fd);
    return NULL;
}

int disk_reader_stat(struct disk_file *base, struct disk_stat *stat, struct err *err)
{
    struct real_file *file = file_of(base);
    struct stat buf;

    if (fstat(file->fd, &buf) != 0)
        return disk_err(err, errno, file->path, "cannot be looked at");
    disk_stat_fill(&buf, stat);
    return 0;
}

int disk_reader_read(struct disk_file *base, uint64_t offset, char *out, size_t len, struct err *err)
{
    struct real_file *file = file_of(base);

    while (len) {
        ssize_t got = pread(file->fd, out, len, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return disk_err(err, errno, file->path, "cannot be read");
        if (got == 0)
            return err_set(err, ERR_CONFLICT, "%s: it became shorter while it was read", file->path);
        out += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return 0;
}
