/* SPDX-License-Identifier: MIT */
#include "interval.h"

#include <math.h>

bool median_interval(const double *sorted, size_t count, double *ret_low, double *ret_high)
{
    const double outside = 0.05;
    /* That none of count values lies below the median; then: at most so many. */
    double exactly = pow(0.5, (double)count), at_most = exactly;
    size_t below = 0;

    if (2 * at_most > outside)
        return false;
    for (;;) {
        exactly *= (double)(count - below) / (double)(below + 1);
        if (2 * (at_most + exactly) > outside)
            break;
        at_most += exactly;
        below++;
    }
    *ret_low = sorted[below];
    *ret_high = sorted[count - 1 - below];
    return true;
}
