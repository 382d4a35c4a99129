/*
 * The faults of a disk, a clock and a power supply, for `Benchmarks -- faults`. The harness compiles this file and
 * loads it into the service with LD_PRELOAD; nothing in the service knows of it.
 *
 *   FAULTS_STORE    the store; its log is the same path with "-wal", its index with "-shm"
 *   FAULTS_ROOT     the folder of everything that the service writes
 *   FAULTS_CONTROL  a file of one page, shared with the harness: what happens at which call (struct control)
 *   FAULTS_JOURNAL  gets a note of every write to the store and its log before it is done, with the bytes from
 *                   before and after, and of every sync after it was done. After a kill the harness takes back
 *                   from it what no sync covers: that is what a power cut may do, and what kill -9 can't show.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Where something can happen. The harness knows these by their number: Shim.cs has the same list. */
enum event {
    BEGIN,       /* the writer asks for its lock: BEGIN IMMEDIATE */
    INSIDE,      /* the writer, holding it, reads a page or the clock before it has written */
    READ,        /* any read of the store or its log */
    LOG_WRITE,   /* frames go to the log: the commit begins */
    LOG_SYNC,    /* before the log's sync */
    LOG_SYNCED,  /* after it: committed, and nobody knows yet */
    ANSWER,      /* the first answer that leaves after a commit */
    PAGE_WRITE,  /* a checkpoint writes into the store */
    PAGE_SYNC,   /* before the store's sync */
    PAGE_SYNCED, /* after it */
    RESIZE,      /* the store or its log is cut */
    OTHER_WRITE, /* the head file and whatever else lies under FAULTS_ROOT */
    EVENTS
};

enum action { PASS, KILL, FAIL, TEAR, DROP };

struct control {
    _Atomic int64_t events; /* a bit each: at which of them */
    _Atomic int64_t skip;   /* after how many */
    _Atomic int64_t times;  /* how often */
    _Atomic int64_t action;
    _Atomic int64_t error; /* errno of FAIL */
    _Atomic int64_t hits;  /* how often it happened */
    _Atomic int64_t puts_off_log_sync;
    _Atomic int64_t clock_ns; /* added to the time of day */
};

enum file { STORE, LOG, INDEX, FOLDER, OTHER, NONE };

enum kind { WRITTEN = 1, RESIZED = 2, SYNCED = 3 };

/* In the journal, followed by the old bytes, then by the new ones. */
struct note {
    int64_t kind;
    int64_t file;
    int64_t offset; /* RESIZED: the new size; SYNCED: how far the journal was when the sync began */
    int64_t old_length;
    int64_t new_length;
    int64_t old_size;
};

static struct control *control;
static const char *store = "";
static char folder[PATH_MAX];
static const char *root = "";
static int journal = -1;
static int64_t journal_length;
static int put_off = -1; /* the log, while its sync is put off */
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int committed;
static __thread int is_writer;
static __thread int has_written;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_fcntl)(int, int, ...);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_clock_gettime)(clockid_t, struct timespec *);

static void find_real(void)
{
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_pwritev = dlsym(RTLD_NEXT, "pwritev64");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_send = dlsym(RTLD_NEXT, "send");
    real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
}

static void stop(const char *why)
{
    dprintf(STDERR_FILENO, "faults shim: %s\n", why);
    abort();
}

__attribute__((constructor)) static void start(void)
{
    find_real();
    const char *path = getenv("FAULTS_CONTROL");
    if (!path || !getenv("FAULTS_STORE") || !getenv("FAULTS_ROOT")) return;
    store = getenv("FAULTS_STORE");
    root = getenv("FAULTS_ROOT");
    snprintf(folder, sizeof folder, "%s", store);
    if (strrchr(folder, '/')) *strrchr(folder, '/') = 0;
    if (getenv("FAULTS_JOURNAL")) {
        journal = open(getenv("FAULTS_JOURNAL"), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (journal < 0) stop("the journal can't be opened");
    }

    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) stop("the control page can't be opened");
    close(fd);
    control = page;
}

/* ---- what happens, and where ---- */

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_awaited(enum event event)
{
    return control && (atomic_load(&control->events) >> event & 1);
}

static enum action at(enum event event)
{
    if (!is_awaited(event) || atomic_fetch_sub(&control->skip, 1) > 0) return PASS;
    if (atomic_fetch_sub(&control->times, 1) <= 0) return PASS;
    atomic_fetch_add(&control->hits, 1);
    enum action action = atomic_load(&control->action);
    if (action == KILL) die();
    return action;
}

static ssize_t fail(void)
{
    errno = (int)atomic_load(&control->error);
    return -1;
}

/* Asked anew at every call: cheaper than to follow every open and close, and never out of date. */
static enum file file_of(int fd)
{
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return NONE;
    path[length] = 0;
    size_t known = strlen(store);
    if (strncmp(path, store, known) == 0) {
        if (!path[known]) return STORE;
        if (strcmp(path + known, "-wal") == 0) return LOG;
        if (strcmp(path + known, "-shm") == 0) return INDEX;
    }

    if (strcmp(path, folder) == 0) return FOLDER;
    return strncmp(path, root, strlen(root)) == 0 ? OTHER : NONE;
}

/* ---- the journal ---- */

static void note(enum kind kind, enum file file, int64_t offset, const void *old, int64_t old_length,
                 const void *new, int64_t new_length, int64_t old_size)
{
    if (journal < 0) return;
    struct note head = { kind, file, offset, old_length, new_length, old_size };
    struct iovec parts[] = {
        { &head, sizeof head }, { (void *)old, (size_t)old_length }, { (void *)new, (size_t)new_length } };
    ssize_t all = (ssize_t)sizeof head + old_length + new_length;
    if (writev(journal, parts, 3) != all) stop("a note can't be written");
    journal_length += all;
}

/* The bytes that a write or a cut is about to take away; to be freed. */
static void *old_bytes(int fd, int64_t offset, int64_t length, int64_t *found, int64_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0) stop("a file has no size");
    *size = status.st_size;
    *found = *size <= offset ? 0 : *size - offset < length ? *size - offset : length;
    char *bytes = malloc((size_t)*found + 1);
    for (int64_t done = 0; done < *found;) {
        ssize_t read = real_pread(fd, bytes + done, (size_t)(*found - done), offset + done);
        if (read <= 0) stop("what is there can't be read");
        done += read;
    }

    return bytes;
}

static ssize_t noted_write(int fd, enum file file, const void *bytes, size_t length, off_t offset)
{
    pthread_mutex_lock(&noting);
    if (journal >= 0) {
        int64_t old_length, size;
        void *old = old_bytes(fd, offset, (int64_t)length, &old_length, &size);
        note(WRITTEN, file, offset, old, old_length, bytes, (int64_t)length, size);
        free(old);
    }

    ssize_t done = real_pwrite(fd, bytes, length, offset);
    int error = errno;
    pthread_mutex_unlock(&noting);
    errno = error;
    return done;
}

/* The mark says what the sync covers: what was written before it began. */
static int noted_sync(int fd, enum file file, int (*sync)(int))
{
    pthread_mutex_lock(&noting);
    int64_t mark = journal_length;
    pthread_mutex_unlock(&noting);
    if (sync(fd) != 0) return -1;
    pthread_mutex_lock(&noting);
    note(SYNCED, file, mark, NULL, 0, NULL, 0, 0);
    pthread_mutex_unlock(&noting);
    return 0;
}

/* ---- the calls ---- */

static ssize_t put(int fd, enum file file, const void *bytes, size_t length, off_t offset)
{
    enum event event = file == LOG ? LOG_WRITE : file == STORE ? PAGE_WRITE : OTHER_WRITE;
    if (file == LOG) has_written = 1;
    if (file == STORE && put_off >= 0) {
        /* As with synchronous=NORMAL: the log is synced before a checkpoint, and only then. */
        int log = put_off;
        put_off = -1;
        if (noted_sync(log, LOG, real_fsync) != 0) return -1;
    }

    switch (at(event)) {
    case FAIL:
        return fail();
    case DROP:
        return (ssize_t)length;
    case TEAR:
        noted_write(fd, file, bytes, length / 2, offset);
        die();
        break;
    default:
        break;
    }

    return file == OTHER ? real_pwrite(fd, bytes, length, offset) : noted_write(fd, file, bytes, length, offset);
}

static int is_watched(enum file file)
{
    return file == STORE || file == LOG || file == OTHER;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    enum file file = control ? file_of(fd) : NONE;
    return is_watched(file) ? put(fd, file, bytes, length, offset) : real_pwrite(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(fd, bytes, length, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
    enum file file = control ? file_of(fd) : NONE;
    if (file == STORE || file == LOG) stop("the store is written in a way that is not noted: pwritev");
    return file == OTHER && at(OTHER_WRITE) == FAIL ? fail() : real_pwritev(fd, parts, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (!real_write) find_real();
    enum file file = control ? file_of(fd) : NONE;
    if (file == STORE || file == LOG) stop("the store is written in a way that is not noted: write");
    return file == OTHER && at(OTHER_WRITE) == FAIL ? fail() : real_write(fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off_t offset)
{
    if (is_awaited(READ) || (is_awaited(INSIDE) && is_writer && !has_written)) {
        enum file file = file_of(fd);
        if (file == STORE || file == LOG) {
            if (is_writer && !has_written && at(INSIDE) == FAIL) return fail();
            if (at(READ) == FAIL) return fail();
        }
    }

    return real_pread(fd, bytes, length, offset);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    return pread64(fd, bytes, length, offset);
}

static int synced(int fd, int (*sync)(int))
{
    enum file file = control ? file_of(fd) : NONE;
    if (file == FOLDER) return noted_sync(fd, file, sync);
    if (file != STORE && file != LOG) return sync(fd);
    if (at(file == LOG ? LOG_SYNC : PAGE_SYNC) == FAIL) return (int)fail();
    if (file == LOG && atomic_load(&control->puts_off_log_sync)) {
        put_off = fd;
        return 0;
    }

    if (noted_sync(fd, file, sync) != 0) return -1;
    if (file == LOG) atomic_store(&committed, 1);
    return at(file == LOG ? LOG_SYNCED : PAGE_SYNCED) == FAIL ? (int)fail() : 0;
}

int fsync(int fd)
{
    return synced(fd, real_fsync);
}

int fdatasync(int fd)
{
    return synced(fd, real_fdatasync);
}

int ftruncate64(int fd, off_t size)
{
    enum file file = control ? file_of(fd) : NONE;
    if (file != STORE && file != LOG) return real_ftruncate(fd, size);
    if (at(RESIZE) == FAIL) return (int)fail();
    pthread_mutex_lock(&noting);
    if (journal >= 0) {
        int64_t old_length, old_size;
        void *old = old_bytes(fd, size, INT64_MAX, &old_length, &old_size);
        note(RESIZED, file, size, old, old_length, NULL, 0, old_size);
        free(old);
    }

    int outcome = real_ftruncate(fd, size);
    pthread_mutex_unlock(&noting);
    return outcome;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* Byte 120 of the index is the writer's lock (SQLite, os_unix.c and wal.c). */
int fcntl64(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (!real_fcntl) find_real();
    struct flock *lock = argument;
    if (!control || (command != F_SETLK && command != F_SETLKW) || lock->l_start != 120 || file_of(fd) != INDEX)
        return real_fcntl(fd, command, argument);
    if (lock->l_type == F_WRLCK && at(BEGIN) == FAIL) return (int)fail();
    int outcome = real_fcntl(fd, command, argument);
    if (outcome == 0) is_writer = lock->l_type == F_WRLCK;
    has_written = 0;
    return outcome;
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return fcntl64(fd, command, argument);
}

static void answering(void)
{
    if (is_awaited(ANSWER) && atomic_exchange(&committed, 0)) at(ANSWER);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    answering();
    return real_send(fd, bytes, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    answering();
    return real_sendmsg(fd, message, flags);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    if (!real_clock_gettime) find_real();
    /* The writer looks at the clock between two commands of a batch, where it need not read a page. */
    if (is_awaited(INSIDE) && is_writer && !has_written && atomic_load(&control->action) == KILL) at(INSIDE);
    int outcome = real_clock_gettime(id, time);
    if (outcome != 0 || !control || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return outcome;
    int64_t all = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec + atomic_load(&control->clock_ns);
    time->tv_sec = all / 1000000000;
    time->tv_nsec = all % 1000000000;
    return 0;
}
