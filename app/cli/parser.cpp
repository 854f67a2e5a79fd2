// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/parser.h"

#include "core/base/closest_name.h"
#include "core/base/error.h"
#include "core/base/version.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <vector>

namespace moescope::cli {
namespace {

constexpr std::string_view kExitCodes =
    "Exit codes:\n"
    "  0    done\n"
    "  1    an error not listed here\n"
    "  2    the command line makes no sense\n"
    "  3    an input does not exist or cannot be read\n"
    "  4    checkpoint, tokenizer or baseline damaged, unknown or unsupported\n"
    "  5    the text is empty, lacks the column asked for, or cannot be decoded\n"
    "  6    a session is damaged, not ours, or of a newer version\n"
    "  7    the output cannot be written, or the disk is full\n"
    "  8    not enough memory, or the device is absent or failed\n"
    "  130  stopped on request; finished work is kept";

/// The subcommand the user was in, for "run ... --help".
std::string calledName(const CLI::App& parser) {
    const auto called = parser.get_subcommands();
    return parser.get_name() + (called.empty() ? "" : " " + called.front()->get_name());
}

const CLI::App& calledApp(const CLI::App& parser) {
    const auto called = parser.get_subcommands();
    return called.empty() ? parser : *called.front();
}

/// Why a word was not understood, where that can be told: an option's name mistyped, or a second
/// value behind an option that takes one at a time.
std::string hintFor(const std::string& word, const CLI::App& app,
                    std::span<const std::string> arguments) {
    if (word.starts_with("--")) {
        std::vector<std::string> names;
        for (const CLI::Option* option : app.get_options()) {
            for (const std::string& name : option->get_lnames()) {
                names.push_back("--" + name);
            }
        }
        return didYouMean(word.substr(0, word.find('=')),
                          std::vector<std::string_view>(names.begin(), names.end()));
    }
    const auto at = std::find(arguments.begin(), arguments.end(), word);
    const auto before = std::find_if(std::reverse_iterator(at), arguments.rend(),
                                     [](const auto& each) { return each.starts_with('-'); });
    const CLI::Option* option =
        before == arguments.rend() ? nullptr : app.get_option_no_throw(*before);
    const bool repeats =
        option != nullptr && option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    return repeats ? " (" + *before + " takes one value; for several write " + *before +
                         " before each of them)"
                   : std::string();
}

/// What CLI11 calls extras, in the order given.
std::string unknownWords(const CLI::App& parser, std::span<const std::string> arguments) {
    const std::vector<std::string> words = parser.remaining(/*recurse=*/true);
    if (parser.get_subcommands().empty() && !words.empty() && !words.front().starts_with('-')) {
        std::string commands;
        std::vector<std::string> names;
        for (const CLI::App* command :
             parser.get_subcommands([](const CLI::App*) { return true; })) {
            names.push_back(command->get_name());
            commands += (commands.empty() ? "" : ", ") + command->get_name();
        }
        return "There is no command \"" + words.front() + "\"; there are: " + commands + "." +
               didYouMean(words.front(), std::vector<std::string_view>(names.begin(), names.end()));
    }
    std::string list;
    for (const std::string& word : words) {
        list += " " + word;
    }
    return "Not understood:" + list +
           (words.empty() ? std::string() : hintFor(words.front(), calledApp(parser), arguments));
}

bool needsQuotes(const std::string& argument) {
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./:,+@%";
    return argument.empty() || argument.find_first_not_of(kPlain) != std::string::npos;
}

std::string quoted(const std::string& argument) {
    if (!needsQuotes(argument)) {
        return argument;
    }
    std::string result = "'";
    for (const char c : argument) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

}  // namespace

std::shared_ptr<CLI::App> makeParser(const std::string& program, const std::string& description) {
    auto parser = std::make_shared<CLI::App>(description, program);
    parser->set_version_flag("--version", program + " " + std::string(kVersion));
    parser->set_help_flag("-h,--help", "Print this help");
    parser->require_subcommand(0, 1);
    parser->footer(std::string(kExitCodes));
    // The option column is wide enough for names with their values; text starts on a fixed column.
    parser->get_formatter()->column_width(34);
    return parser;
}

std::optional<std::string> parse(CLI::App& parser, std::span<const std::string> arguments) {
    // CLI11 takes them from the back.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        parser.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        // Of a command, CLI11 prints that command's own footer alone, if it has one.
        const std::string help = parser.help();
        const bool isComplete = help.find(kExitCodes) != std::string::npos;
        return help + (isComplete ? "" : "\n" + std::string(kExitCodes) + "\n");
    } catch (const CLI::CallForAllHelp&) {
        return parser.help("", CLI::AppFormatMode::All);
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ExtrasError&) {
        throw Error(ErrorCode::Usage, unknownWords(parser, arguments) + "\nRun \"" +
                                          calledName(parser) + " --help\" for what there is.");
    } catch (const CLI::ParseError& error) {
        throw Error(ErrorCode::Usage, std::string(error.what()) + "\nRun \"" + calledName(parser) +
                                          " --help\" for what there is.");
    }
    return std::nullopt;
}

std::string commandLine(std::string_view program, std::span<const std::string> arguments,
                        const std::filesystem::path& folder) {
    std::string line = folder.empty() ? "" : "cd " + quoted(folder.string()) + " && ";
    line += program;
    for (const std::string& argument : arguments) {
        line += ' ' + quoted(argument);
    }
    return line;
}

}  // namespace moescope::cli
