/* SPDX-License-Identifier: MIT */
/*
 * The loops around crowd_ops, once for each file that includes this: not a header but a part of
 * that file, which has defined crowd_ops before. So the operations are inlined into every loop.
 */
static void crowd_member_produce(void *side, struct crowd_member *self)
{
    crowd_produce(&crowd_ops, side, self);
}

static void crowd_member_consume(void *side, struct crowd_member *self)
{
    crowd_consume(&crowd_ops, side, self);
}

static void crowd_member_solo(void *out, void *in, struct crowd_member *self)
{
    crowd_solo(&crowd_ops, out, in, self);
}

static const struct crowd_loops crowd_loops = {crowd_member_produce, crowd_member_consume,
                                               crowd_member_solo};
