// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/cancel_token.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::jobs;

TEST_CASE("CancelToken: a default one is never cancelled", "[core][jobs]") {
    const CancelToken token;
    CHECK_FALSE(token.isCancelled());
    CHECK_NOTHROW(token.throwIfCancelled());
}

TEST_CASE("CancelToken: copies of a source share the request", "[core][jobs]") {
    CancelSource source;
    CancelSource copy = source;
    const CancelToken token = source.token();
    CHECK_FALSE(token.isCancelled());
    copy.cancel();
    CHECK(source.isCancelled());
    CHECK(token.isCancelled());
    try {
        token.throwIfCancelled();
        FAIL("went on after a cancellation");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Cancelled);
    }
}
