/* The disk door: whole files and folders. Writing never goes through a link, and never half. */
#include "world/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024 };

int disk_err(struct err *err, int number, const char *path, const char *what)
{
    enum err_kind kind = ERR_SERVER;

    switch (number) {
    case ENOENT:
    case ENOTDIR:
        kind = ERR_MISSING;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        kind = ERR_DENIED;
        break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        kind = ERR_QUOTA;
        break;
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
    case EINVAL:
    case ENAMETOOLONG:
    case EXDEV:
        kind = ERR_USAGE;
        break;
    default:
        break;
    }
    if (number == ELOOP)
        return err_set(err, kind, "%s: %s: a symbolic link is not followed here", path, what);
    return err_set(err, kind, "%s: %s: %s", path, what, strerror(number));
}

static char *parent_of(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len ? mem_view((struct view){path, len}) : mem_text(".");
}

int disk_sync_parent(const char *path, struct err *err)
{
    char *parent = parent_of(path);
    int result = 0;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Some file systems cannot sync a folder (EINVAL) and need not. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        result = disk_err(err, errno, parent, "cannot sync the folder");
    if (fd >= 0)
        close(fd);
    free(parent);
    return result;
}

static enum disk_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return DISK_FILE;
    if (S_ISDIR(mode))
        return DISK_FOLDER;
    return S_ISLNK(mode) ? DISK_LINK : DISK_OTHER;
}

void disk_stat_fill(const struct stat *from, struct disk_stat *stat)
{
    stat->kind = kind_of(from->st_mode);
    stat->size = (uint64_t)from->st_size;
    stat->mode = from->st_mode & 07777;
    stat->uid = from->st_uid;
    stat->mtime_ms = (int64_t)from->st_mtim.tv_sec * 1000 + from->st_mtim.tv_nsec / 1000000;
}

static int real_stat(struct world *world, const char *path, struct disk_stat *out, struct err *err)
{
    struct stat buf;

    (void)world;
    *out = (struct disk_stat){.kind = DISK_MISSING};
    if (lstat(path, &buf) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : disk_err(err, errno, path, "cannot be looked at");
    disk_stat_fill(&buf, out);
    return 0;
}

static int read_all(int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
    char *step = mem_alloc(READ_STEP);
    size_t total = 0;
    int result = 0;

    for (;;) {
        ssize_t len = read(fd, step, READ_STEP);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            result = disk_err(err, errno, path, "cannot be read");
        if (len <= 0)
            break;
        total += (size_t)len;
        if (total <= max)
            buf_add(out, step, (size_t)len);
        if (total > max || out->over) {
            result = err_set(err, ERR_QUOTA, "%s: larger than the %zu bytes allowed", path, max);
            break;
        }
    }
    free(step);
    return result;
}

static int real_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    struct stat buf;
    int result;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    (void)world;
    if (fd < 0)
        return disk_err(err, errno, path, "cannot be opened");
    if (fstat(fd, &buf) != 0)
        result = disk_err(err, errno, path, "cannot be looked at");
    else if (S_ISDIR(buf.st_mode))
        result = disk_err(err, EISDIR, path, "cannot be read");
    else if (!S_ISREG(buf.st_mode))
        result = err_set(err, ERR_USAGE, "%s: not an ordinary file", path);
    else
        result = read_all(fd, path, max, out, err);
    close(fd);
    return result;
}

static int write_all(int fd, struct view data)
{
    while (data.len) {
        ssize_t len = write(fd, data.ptr, data.len);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return -1;
        data.ptr += len;
        data.len -= (size_t)len;
    }
    return 0;
}

/*
 * The temporary neighbour has a fixed name and is locked while it is written: two writers of one file
 * cannot mix, and what a crash left is taken over by the next write instead of lying about for ever.
 */
static int neighbour_open(const char *path, const char *neighbour, uint32_t mode, struct err *err)
{
    for (int tries = 0; tries < 3; tries++) {
        struct stat open_buf, path_buf;
        int fd = open(neighbour, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);

        if (fd < 0)
            return disk_err(err, errno, path, "cannot be written");
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            return err_set(err, ERR_CONFLICT, "%s: somebody else is writing it", path);
        }
        if (fstat(fd, &open_buf) == 0 && lstat(neighbour, &path_buf) == 0 && open_buf.st_ino == path_buf.st_ino &&
            open_buf.st_dev == path_buf.st_dev && S_ISREG(open_buf.st_mode) && open_buf.st_nlink == 1 &&
            open_buf.st_uid == geteuid())
            return fd;
        /* Renamed by its writer meanwhile (then this removes nothing), or put there by somebody else. */
        close(fd);
        if (lstat(neighbour, &path_buf) == 0 && (path_buf.st_nlink != 1 || !S_ISREG(path_buf.st_mode)))
            unlink(neighbour);
    }
    return err_set(err, ERR_DENIED, "%s: cannot be written: %s is not ours", path, neighbour);
}

char *disk_neighbour(const char *path)
{
    char *parent = parent_of(path);
    const char *slash = strrchr(path, '/');
    char *neighbour = mem_printf("%s/.%s.dosrun-new", parent, slash ? slash + 1 : path);

    free(parent);
    return neighbour;
}

static int real_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err)
{
    struct stat buf;
    char *neighbour = disk_neighbour(path);
    int result = -1, fd = -1;

    (void)world;
    if (lstat(path, &buf) == 0 && !S_ISREG(buf.st_mode)) {
        disk_err(err, S_ISLNK(buf.st_mode) ? ELOOP : S_ISDIR(buf.st_mode) ? EISDIR : EINVAL, path, "cannot be written");
        goto out;
    }
    fd = neighbour_open(path, neighbour, mode, err);
    if (fd < 0)
        goto out;
    if (ftruncate(fd, 0) != 0 || fchmod(fd, mode) != 0 || write_all(fd, data) != 0 || fsync(fd) != 0 ||
        rename(neighbour, path) != 0) {
        disk_err(err, errno, path, "cannot be written");
        unlink(neighbour);
        goto out;
    }
    result = disk_sync_parent(path, err);
out:
    if (fd >= 0)
        close(fd);
    free(neighbour);
    return result;
}

static int real_remove(struct world *world, const char *path, struct err *err)
{
    (void)world;
    if (unlink(path) != 0 && (errno != EISDIR || rmdir(path) != 0))
        return disk_err(err, errno, path, "cannot be removed");
    return disk_sync_parent(path, err);
}

static int folder_make(const char *path, uint32_t mode, struct err *err)
{
    struct stat buf;

    if (mkdir(path, mode) == 0)
        return chmod(path, mode) != 0 ? disk_err(err, errno, path, "cannot be made") : disk_sync_parent(path, err);
    int number = errno;
    if (number == EEXIST && lstat(path, &buf) == 0 && S_ISDIR(buf.st_mode))
        return 0;
    if (number == EEXIST && S_ISLNK(buf.st_mode))
        number = ELOOP;
    return disk_err(err, number, path, "the folder cannot be made");
}

/* Parents may be links that were there before (a home on another disk); the last component may not. */
static int real_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    struct stat buf;

    if (lstat(path, &buf) != 0 && errno == ENOENT) {
        char *parent = parent_of(path);
        int result = 0;

        if (stat(parent, &buf) != 0 && errno == ENOENT && strcmp(parent, path) != 0)
            result = real_make_folder(world, parent, mode, err);
        free(parent);
        if (result != 0)
            return result;
    }
    return folder_make(path, mode, err);
}

static int real_rename(struct world *world, const char *from, const char *to, struct err *err)
{
    (void)world;
    if (rename(from, to) != 0) {
        disk_err(err, errno, from, "cannot be renamed");
        return err_context(err, "to %s", to);
    }
    return disk_sync_parent(to, err) != 0 || disk_sync_parent(from, err) != 0 ? -1 : 0;
}

struct entry {
    char *name;
    enum disk_kind kind;
};

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int real_list(struct world *world, const char *path, disk_list_fn *fn, void *ctx, struct err *err)
{
    DIR *folder = opendir(path);
    struct dirent *found;
    struct entry *entries = NULL;
    size_t len = 0, cap = 0;
    int result = 0;

    (void)world;
    if (!folder)
        return disk_err(err, errno, path, "the folder cannot be listed");
    while (errno = 0, (found = readdir(folder)) != NULL) {
        struct stat buf;

        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
            fstatat(dirfd(folder), found->d_name, &buf, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (len == cap) {
            cap = cap ? cap * 2 : 32;
            entries = mem_grow(entries, cap, sizeof(*entries));
        }
        entries[len++] = (struct entry){mem_text(found->d_name), kind_of(buf.st_mode)};
    }
    if (errno)
        result = disk_err(err, errno, path, "the folder cannot be listed");
    closedir(folder);
    if (len)
        qsort(entries, len, sizeof(*entries), entry_compare);
    for (size_t i = 0; result == 0 && i < len; i++)
        if (!fn(ctx, entries[i].name, entries[i].kind))
            break;
    for (size_t i = 0; i < len; i++)
        free(entries[i].name);
    free(entries);
    return result;
}

const struct world_ops world_disk_ops = {
    .stat = real_stat,
    .read = real_read,
    .write = real_write,
    .remove = real_remove,
    .make_folder = real_make_folder,
    .rename = real_rename,
    .list = real_list,
    .open = disk_file_open,
    .append = disk_file_append,
    .sync = disk_file_sync,
    .reserve = disk_file_reserve,
    .truncate = disk_file_truncate,
    .lock = disk_file_lock,
    .close = disk_file_close,
    .open_read = disk_reader_open,
    .file_stat = disk_reader_stat,
    .read_at = disk_reader_read,
};
