/* SPDX-License-Identifier: MIT */
/*
 * The loops around adaptive_ops, once for each file that includes this: not a header but a part of
 * that file, which has defined adaptive_ops before. So the operations are inlined into every loop.
 */
static void adaptive_produce(void *side, struct run *run)
{
    stream_produce(&adaptive_ops, side, run);
}

static void adaptive_consume(void *side, struct run *run)
{
    stream_consume(&adaptive_ops, side, run);
}

static void adaptive_ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&adaptive_ops, out, in, run);
}

static void adaptive_pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&adaptive_ops, in, out, run);
}

static void adaptive_send_timed(void *side, struct run *run)
{
    timed_send(&adaptive_ops, side, run);
}

static void adaptive_receive_timed(void *side, struct run *run)
{
    timed_receive(&adaptive_ops, side, run);
}

static void adaptive_fan_send(void *const *sides, struct crowd_member *self)
{
    fan_send(&adaptive_ops, sides, self);
}

static void adaptive_fan_take(void *const *sides, struct crowd_member *self)
{
    fan_take(&adaptive_ops, sides, self);
}

static const struct loops adaptive_loops = {
    adaptive_produce,    adaptive_consume,       adaptive_ping,     adaptive_pong,
    adaptive_send_timed, adaptive_receive_timed, adaptive_fan_send, adaptive_fan_take,
};
