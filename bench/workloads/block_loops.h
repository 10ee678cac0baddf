/* SPDX-License-Identifier: MIT */
/*
 * The loops around block_ops, once for each file that includes this: not a header but a part of
 * that file, which has defined block_ops before. So the operations are inlined into every loop.
 */
static void block_produce(void *side, struct run *run)
{
    stream_produce(&block_ops, side, run);
}

static void block_consume(void *side, struct run *run)
{
    stream_consume(&block_ops, side, run);
}

static void block_ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&block_ops, out, in, run);
}

static void block_pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&block_ops, in, out, run);
}

static void block_send_timed(void *side, struct run *run)
{
    timed_send(&block_ops, side, run);
}

static void block_receive_timed(void *side, struct run *run)
{
    timed_receive(&block_ops, side, run);
}

static void block_fan_send(void *const *sides, struct crowd_member *self)
{
    fan_send(&block_ops, sides, self);
}

static void block_fan_take(void *const *sides, struct crowd_member *self)
{
    fan_take(&block_ops, sides, self);
}

static const struct loops block_loops = {
    block_produce,    block_consume,       block_ping,     block_pong,
    block_send_timed, block_receive_timed, block_fan_send, block_fan_take,
};
