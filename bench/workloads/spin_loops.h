/* SPDX-License-Identifier: MIT */
/*
 * The loops around spin_ops, once for each file that includes this: not a header but a part of
 * that file, which has defined spin_ops before. So the operations are inlined into every loop.
 */
static void spin_produce(void *side, struct run *run)
{
    stream_produce(&spin_ops, side, run);
}

static void spin_consume(void *side, struct run *run)
{
    stream_consume(&spin_ops, side, run);
}

static void spin_ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&spin_ops, out, in, run);
}

static void spin_pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&spin_ops, in, out, run);
}

static void spin_send_timed(void *side, struct run *run)
{
    timed_send(&spin_ops, side, run);
}

static void spin_receive_timed(void *side, struct run *run)
{
    timed_receive(&spin_ops, side, run);
}

static void spin_fan_send(void *const *sides, struct crowd_member *self)
{
    fan_send(&spin_ops, sides, self);
}

static void spin_fan_take(void *const *sides, struct crowd_member *self)
{
    fan_take(&spin_ops, sides, self);
}

static const struct loops spin_loops = {
    spin_produce,    spin_consume,       spin_ping,     spin_pong,
    spin_send_timed, spin_receive_timed, spin_fan_send, spin_fan_take,
};
