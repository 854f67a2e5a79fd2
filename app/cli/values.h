// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How single values are written on the command line. Each throws Error(Usage) naming the option's
/// value and what is possible.
namespace moescope::cli {

/// "8G", "512M", "1.5GiB", "4096": a number of bytes with an optional binary unit K, M, G, T.
[[nodiscard]] std::uint64_t parseByteSize(std::string_view text);

/// "auto", "cpu", "cuda", "cuda:1", "cuda:0,cuda:2".
[[nodiscard]] std::string parseDevice(std::string_view text);

/// "auto", "float32", "bfloat16"; "fp32", "f32" and "bf16" mean the same.
[[nodiscard]] std::string parseDtype(std::string_view text);

/// Experiment ids (hyphens accepted), labels ("B3") or groups ("routing", experimentGroups()), each
/// entry perhaps a list with commas. An experiment brings what it is computed from; "importance" is
/// the group, its label "E1" the experiment alone. Catalogue ids in the catalogue's order; an empty
/// list means all but the costly ones.
[[nodiscard]] std::vector<std::string> parseExperiments(std::span<const std::string> entries);

/// The entries of lists with commas, one after the other. Throws Error(Usage) for an empty entry.
[[nodiscard]] std::vector<std::string> parseList(std::span<const std::string> lists);

/// Layer numbers and ranges, "0,8-15,31", ascending and without repetitions.
[[nodiscard]] std::vector<int> parseLayers(std::span<const std::string> lists);

/// True when one of the experiments needs a text.
[[nodiscard]] bool needText(std::span<const std::string> experiments);

/// The text of a shipped prompt: "short" or "long".
[[nodiscard]] std::string presetPrompt(std::string_view name);

}  // namespace moescope::cli
