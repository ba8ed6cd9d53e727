/* A clock that can be turned while programs read it: preloaded, it adds the seconds that a file holds to the time of day.
 * Clocks that only count on stay as they are, and with them every wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOOKED_EVERY 200000000L /* nanoseconds */

static long offset, looked_at;

static long turned_by(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    long at = now.tv_sec * 1000000000L + now.tv_nsec;
    if (at - __atomic_load_n(&looked_at, __ATOMIC_RELAXED) > LOOKED_EVERY) {
        __atomic_store_n(&looked_at, at, __ATOMIC_RELAXED);
        char text[32] = "";
        int file = open(CLOCK, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            ssize_t length = read(file, text, sizeof text - 1);
            close(file);
            if (length > 0)
                __atomic_store_n(&offset, strtol(text, NULL, 10), __ATOMIC_RELAXED);
        }
    }
    return __atomic_load_n(&offset, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    long failed = syscall(SYS_clock_gettime, clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += turned_by();
    return (int)failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept)
        *kept = now.tv_sec;
    return now.tv_sec;
}
