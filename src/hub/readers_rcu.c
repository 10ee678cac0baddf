/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* sigset_t */
#include "readers.h"

#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int error;
static _Thread_local bool is_reader;

/* A child made by fork() has the key, but not the threads whose lock it could wait for. */
static void forget_thread(void *value)
{
    (void)value;
    if (hub_process_check() == 0)
        urcu_memb_unregister_thread();
    is_reader = false;
}

/* liburcu's thread, which calls what was deferred, takes no signal that is meant for others. */
static void open_once(void)
{
    sigset_t all, before;

    error = pthread_key_create(&key, forget_thread) != 0 ? -ENOMEM : 0;
    if (error != 0)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    urcu_memb_get_default_call_rcu_data();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int hub_readers_open(void)
{
    pthread_once(&once, open_once);
    return error;
}

/* The key ends it with the thread: liburcu would wait for a thread that is gone. */
static void register_thread(bool registered)
{
    if (registered || is_reader)
        return;
    urcu_memb_register_thread();
    is_reader = true;
    pthread_setspecific(key, &is_reader);
}

void hub_readers_begin(bool registered)
{
    register_thread(registered);
    urcu_memb_read_lock();
}

void hub_readers_end(void)
{
    urcu_memb_read_unlock();
}

void hub_readers_defer(bool registered, struct rcu_head *head,
                       void (*function)(struct rcu_head *head))
{
    register_thread(registered); /* it reads what queue to take */
    urcu_memb_call_rcu(head, function);
}
