// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

namespace moescope {

enum class LogLevel { Info, Warning };

/// Where core sends what a user may want to know but need not act on: "NaN in layer 3, up_proj of
/// expert 2". Core never prints; a program passes a sink down. An empty sink swallows.
/// Thread-compatible: a sink given to the engine is called from one thread at a time.
using LogSink = std::function<void(LogLevel, const std::string&)>;

}  // namespace moescope
