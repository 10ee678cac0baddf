/* SPDX-License-Identifier: MIT */
/* The texts of errors. That each documented one has its own is checked by tests/tidy. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <shmring/error.h>
#include <string.h>

enum { ERRNO_MAX = 4095 };

static bool is_known(int error)
{
    return strcmp(shmring_error_text(error), "unknown error") != 0;
}

Test(error, what_users_of_a_ring_meet_is_said_in_their_terms)
{
    cr_expect_str_eq(shmring_error_text(0), "no error");
    cr_expect_str_eq(shmring_error_text(-EOWNERDEAD), "the other side died");
    cr_expect_str_eq(shmring_error_text(-EPIPE), "the other side has closed");
    cr_expect_str_eq(shmring_error_text(-EBADMSG), "the ring is damaged");
    cr_expect_str_eq(shmring_error_text(-ENOENT), "no such ring, or nobody listens there");
}

Test(error, whatever_the_number_there_is_a_text)
{
    static const int others[] = {INT_MIN, INT_MIN + 1, -ERRNO_MAX - 1, 1, EOWNERDEAD, INT_MAX};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_not(is_known(others[i]), "%d", others[i]);
    cr_expect_not(is_known(-EXDEV), "no call of the library documents it");
}

Test(error, texts_are_different_and_fit_into_a_sentence)
{
    for (int error = -ERRNO_MAX; error <= 0; error++) {
        const char *text = shmring_error_text(error);

        cr_assert_not_null(text);
        if (!is_known(error))
            continue;
        cr_expect(strlen(text) > 0 && strlen(text) < 100, "%s", text);
        cr_expect_not(isupper((unsigned char)text[0]) || text[strlen(text) - 1] == '.', "%s", text);
        cr_expect_eq(shmring_error_text(error), text, "the same at each call");
        for (int other = error + 1; other <= 0; other++)
            cr_expect_not(is_known(other) && strcmp(text, shmring_error_text(other)) == 0, "%d, %d",
                          error, other);
    }
}
