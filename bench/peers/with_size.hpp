/* SPDX-License-Identifier: MIT */
/* For libraries that want the size of a message as a template argument. */
#ifndef BENCH_PEERS_WITH_SIZE_HPP
#define BENCH_PEERS_WITH_SIZE_HPP

#include "bench.h"

#include <type_traits>

template <uint32_t Size> struct Message {
    uint64_t words[Size / 8];
};

template <uint32_t Size> using SizeConstant = std::integral_constant<uint32_t, Size>;

/* What work returns, which gets the size as a SizeConstant: one of bench_sizes. */
template <typename Work> BENCH_INLINE auto with_size(uint32_t size, Work work)
{
    switch (size) {
    case 8:
        return work(SizeConstant<8>());
    case 64:
        return work(SizeConstant<64>());
    case 256:
        return work(SizeConstant<256>());
    case 1024:
        return work(SizeConstant<1024>());
    case 4096:
        return work(SizeConstant<4096>());
    case 65536:
        return work(SizeConstant<65536>());
    default:
        return work(SizeConstant<(1 << 20)>());
    }
}

#endif
