// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <thread>

namespace moescope::engine {

/// While it lives, OpenMP threads without work sleep after microseconds.
///
/// GNU's OpenMP, which LibTorch computes with, lets them turn for milliseconds otherwise. On a
/// processor that others use as well, a run then takes several times its work. It turns briefly
/// once its threads outnumber the processors (libgomp config/linux/wait.h), so a second team of
/// threads, asleep, is kept. OMP_WAIT_POLICY and GOMP_SPINCOUNT say it too, but are read when the
/// library is loaded, before main(); whoever sets one of them is obeyed. Does nothing for one
/// thread or with another OpenMP. Thread-compatible.
class BriefWaits {
public:
    /// `threads`: as many as LibTorch computes with.
    explicit BriefWaits(int threads);

private:
    std::jthread m_owner;  ///< of the second team
};

}  // namespace moescope::engine
