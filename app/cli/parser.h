// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace moescope::cli {

/// A parser with the look that both programs share: --help, --version, exit codes at the end of the
/// help, no abbreviations. The caller attaches subcommands to it.
[[nodiscard]] std::shared_ptr<CLI::App> makeParser(const std::string& program,
                                                   const std::string& description);

/// Parses arguments (without the program's name). Text to print instead of doing anything when
/// --help or --version was asked for; throws Error(Usage) with the remedy when something is not
/// understood.
[[nodiscard]] std::optional<std::string> parse(CLI::App& parser,
                                               std::span<const std::string> arguments);

/// The arguments as one line that a shell would take, for the session; with a folder it begins by
/// going there, since relative paths mean nothing elsewhere.
[[nodiscard]] std::string commandLine(std::string_view program,
                                      std::span<const std::string> arguments,
                                      const std::filesystem::path& folder = {});

}  // namespace moescope::cli
