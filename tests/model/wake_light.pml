/* SPDX-License-Identifier: MIT */
/*
 * Sleep and wake (wait.h; with MANY, event.h) on processors with store buffers, as x86 has: a store
 * waits in its processor's buffer, in order, while later loads go to memory. Who publishes passes
 * no fence, and who goes to sleep makes all buffers drain (membarrier).
 *
 * A lost wake is a sleeper that waits for ever, which Spin reports as an invalid end state. There is
 * no cap but with KILL_PUBLISHER and KILL_SLEEPER: there a sleep that nothing else can end ends by
 * itself, once per sleeper at most, for the next look must find what is there.
 *
 *   MANY     eventcounts, of PUBLISHERS; one to one there is one publisher of MESSAGES
 *   EVENTFD  the bell is readable from ring to clear, and the word is not looked at
 *   SYMMETRIC, and the mutants: see wake_light.py
 */
#ifndef PUBLISHERS
#define PUBLISHERS 1
#endif
#ifndef SLEEPERS
#define SLEEPERS 1
#endif
#ifndef MESSAGES
#define MESSAGES 2
#endif
#define PROCESSORS (PUBLISHERS + SLEEPERS)
#define ARMED 1

/* The words that are stored plainly: pos or the messages, wakes, wake_at. */
mtype = { MESSAGE, WAKES, WAKE_AT };

byte message[MESSAGES]; /* 0: none yet, 1: there, 2: taken. One to one: [0] is pos */
byte wakes, wake_at;
bool asleep[SLEEPERS];
bool rung;              /* EVENTFD */
byte caps[SLEEPERS];

chan buffer[PROCESSORS] = [3] of { mtype, byte, byte };

/* A buffer drains when it likes. */
active [PROCESSORS] proctype processor()
{
    byte index, value;
    chan mine = buffer[_pid];
end:
    do
    :: atomic { mine?MESSAGE,index,value -> message[index] = value; index = 0; value = 0 }
    :: atomic { mine?WAKES,index,value -> wakes = value; value = 0 }
    :: atomic { mine?WAKE_AT,index,value -> wake_at = value; value = 0 }
    od
}

/* What a locked instruction and the kernel wait for. */
inline drain(whose)
{
    empty(buffer[whose])
}

/* The caller passes a fence, and then each of the others at some moment, in whatever order. */
inline membarrier()
{
    drain(me);
    seen = 0;
    do
    :: seen == (1 << PROCESSORS) - 1 -> break
    :: atomic { (seen & 1) == 0 && empty(buffer[0]) -> seen = seen | 1 }
    :: atomic { (seen & 2) == 0 && empty(buffer[1]) -> seen = seen | 2 }
#if SLEEPERS + PUBLISHERS > 2
    :: atomic { (seen & 4) == 0 && empty(buffer[2]) -> seen = seen | 4 }
#endif
#if SLEEPERS + PUBLISHERS > 3
    :: atomic { (seen & 8) == 0 && empty(buffer[3]) -> seen = seen | 8 }
#endif
    od;
    seen = 0
}

/* Under the lock of the kernel. Whom it wakes of several is left open. */
inline ring()
{
    drain(me);
    atomic {
#ifdef EVENTFD
        rung = true
#else
        if
        :: asleep[0] -> asleep[0] = false
#if SLEEPERS > 1
        :: asleep[1] -> asleep[1] = false
        :: else
#else
        :: else
#endif
        fi
#endif
    }
}

/* The slow half of a wake, by whoever. */
inline answer()
{
    drain(me);
    atomic { if :: wake_at == ARMED -> wake_at = 0; due = true :: else fi }
    if
    :: due ->
        atomic { due = false; wakes++ }
        ring()
    :: else
    fi
}

inline fence_of_waker()
{
#if defined(SYMMETRIC) || defined(WAKER_FENCE_ONLY)
    drain(me);
#endif
    skip
}

/* One of them, at its last message. */
inline die_perhaps()
{
#ifdef KILL_PUBLISHER
    if
    :: _pid == PROCESSORS && i + PUBLISHERS >= MESSAGES -> goto dead
    :: skip
    fi;
#endif
    skip
}

active [PUBLISHERS] proctype publisher()
{
    byte me = _pid - PROCESSORS;
    byte i, at, answered, count;
    bool due;

    for (i : 0 .. MESSAGES - 1) {
        if
        :: i % PUBLISHERS != me -> goto next
        :: else
        fi;
#ifdef MANY
        buffer[me]!MESSAGE,i,1;
        die_perhaps();
        fence_of_waker();
        at = wake_at;
        if
        :: at == ARMED -> at = 0; die_perhaps(); answer()
        :: else
        fi;
#else
        buffer[me]!MESSAGE,0,i + 1;
        die_perhaps();
        fence_of_waker();
        at = wake_at;
        if
        :: at != 0 && at != answered && i + 1 >= at ->
            answered = at;
            count++;
            buffer[me]!WAKES,0,count;
            die_perhaps();
            ring()
        :: else
        fi;
#endif
next:
        skip
    }
dead:
    skip
}

/* found: what was looked for. */
inline look()
{
#ifdef MANY
    drain(me);
    atomic {
        if
        :: message[0] == 1 -> message[0] = 2; found = true
        :: message[0] != 1 && message[MESSAGES - 1] == 1 ->
            message[MESSAGES - 1] = 2; found = true
        :: else
        fi
    }
#else
    found = message[0] >= wanted
#endif
}

inline clear()
{
#ifdef EVENTFD
    atomic { drain(me); rung = false }
#else
    skip
#endif
}

inline arm()
{
#ifndef TICKET_AFTER_ARMING
    ticket = wakes;
#endif
#if !defined(CLEAR_AFTER_ARMING) && !defined(CLEAR_AFTER_LOOK)
    clear();
#endif
#ifdef MANY
    at = wake_at;
    if
    :: at != ARMED -> atomic { drain(me); wake_at = ARMED }
    :: else
    fi;
    at = 0;
#else
    buffer[me]!WAKE_AT,0,wanted;
#endif
#ifdef TICKET_AFTER_ARMING
    ticket = wakes;
#endif
#if defined(SYMMETRIC) || defined(SLEEPER_FENCE_ONLY)
    drain(me);
#elif !defined(NO_FENCE) && !defined(WAKER_FENCE_ONLY)
    membarrier();
#endif
#ifdef CLEAR_AFTER_ARMING
    clear();
#endif
    skip
}

inline wait_for_ring()
{
    drain(me);
#ifdef EVENTFD
    atomic { asleep[who] = true }
    (rung);
    asleep[who] = false;
#else
    atomic { if :: wakes == ticket -> asleep[who] = true :: else fi }
    if
    :: !asleep[who]
#if (defined(KILL_PUBLISHER) || defined(KILL_SLEEPER)) && !defined(NO_CAP)
    :: timeout -> asleep[who] = false; caps[who]++; assert(caps[who] <= 1)
#endif
    fi;
#endif
    ticket = 0
}

/* The baton. */
inline pass_on()
{
#if defined(MANY) && !defined(NO_BATON)
    if
    :: message[0] == 1 || message[MESSAGES - 1] == 1 ->
        fence_of_waker();
        at = wake_at;
        if
        :: at == ARMED -> at = 0; answer()
        :: else
        fi
    :: else
    fi;
#endif
    skip
}

active [SLEEPERS] proctype sleeper()
{
    byte who = _pid - PROCESSORS - PUBLISHERS;
    byte me = PUBLISHERS + who;
    byte ticket, at, seen, wanted = 1;
    bool found, due;

    do
    :: wanted > MESSAGES / SLEEPERS -> break
    :: else ->
#ifdef LOOK_BEFORE_ARMING
        look();
        arm();
#else
        arm();
        look();
#endif
#ifdef TICKET_AFTER_LOOK
        ticket = wakes;
#endif
#ifdef CLEAR_AFTER_LOOK
        clear();
#endif
        if
        :: found -> pass_on()
        :: else ->
            wait_for_ring();
#ifdef KILL_SLEEPER
            if
            :: who == 0 -> break
            :: skip
            fi;
#endif
#ifdef LOOK_UNARMED
            look();
#endif
            skip
        fi;
#ifndef MANY
        buffer[me]!WAKE_AT,0,0;
#endif
        if
        :: found -> found = false; wanted++
        :: else
        fi
    od
}
