// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/program.h"

#include "app/cli/analyze_options.h"
#include "app/cli/info_options.h"
#include "app/cli/parser.h"
#include "app/engine/console.h"
#include "app/engine/run_request.h"
#include "app/info/info.h"
#include "core/base/error.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <ostream>

namespace moescope::app {
namespace {

using session::RunEvent;

constexpr const char* kName = "moescope-engine";

struct Job {
    std::span<const std::string> arguments;
    const engine::ProbeFactory& factory;
    std::stop_token stop;
    Terminal terminal;
    JsonObserver& events;  ///< used with --json
};

void analyzeAsEvents(const cli::AnalyzeOptions& options, const engine::RunRequest& request,
                     const Job& job) {
    if (options.dryRun) {
        job.events.onEvent(estimateEvent(engine::estimate(request, job.factory)));
    } else {
        engine::run(request, job.factory, job.events, job.stop);  // begins with its estimate
    }
}

void analyzeForPeople(const cli::AnalyzeOptions& options, const engine::RunRequest& request,
                      const Job& job) {
    const std::string text = estimateText(engine::estimate(request, job.factory));
    if (options.dryRun) {
        job.terminal.out << text << std::flush;
        return;
    }
    job.terminal.err << text << std::flush;
    ConsoleObserver observer(job.terminal.err, job.terminal.errIsTerminal);
    try {
        const engine::RunReport report = engine::run(request, job.factory, observer, job.stop);
        observer.endLine();
        job.terminal.err << "Done in " << durationText(report.seconds) << ": "
                         << report.partsWritten << (report.partsWritten == 1 ? " part" : " parts")
                         << " computed, " << report.partsKept << " kept." << std::endl;
        job.terminal.out << report.session.string() << std::endl;
    } catch (...) {
        observer.endLine();
        throw;
    }
}

void analyze(const cli::AnalyzeOptions& options, const Job& job) {
    const LogSink log = [&](LogLevel level, const std::string& message) {
        if (options.json) {
            RunEvent event;
            event.kind = RunEvent::Kind::Warning;
            event.message = message;
            job.events.onEvent(event);
        } else {
            job.terminal.err << (level == LogLevel::Warning ? "Warning: " : "") << message
                             << std::endl;
        }
    };
    const std::filesystem::path folder =
        cli::hasRelativePaths(options) ? std::filesystem::current_path() : std::filesystem::path();
    const engine::RunRequest request =
        makeRunRequest(options, cli::commandLine(kName, job.arguments, folder), log);
    if (options.json) {
        analyzeAsEvents(options, request, job);
    } else {
        analyzeForPeople(options, request, job);
    }
}

void dispatch(const Job& job) {
    cli::AnalyzeCommand analyzeCommand;
    cli::InfoCommand infoCommand;
    const auto parser = cli::makeParser(
        kName, "Runs mixture-of-experts models and writes what routers and experts did.");
    analyzeCommand.attach(*parser);
    infoCommand.attach(*parser);
    if (const auto text = cli::parse(*parser, job.arguments)) {
        job.terminal.out << *text << std::flush;
    } else if (analyzeCommand.wasCalled()) {
        analyze(analyzeCommand.result(), job);
    } else if (infoCommand.wasCalled()) {
        job.terminal.out << info::infoText(infoCommand.result()) << std::flush;
    } else {
        throw Error(ErrorCode::Usage, std::string("Say what to do: analyze or info. \"") + kName +
                                          " --help\" tells more.");
    }
}

/// Whatever happened, as one of our errors; nullopt when all went well.
std::optional<Error> outcomeOf(const Job& job) {
    try {
        dispatch(job);
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return Error(ErrorCode::OutOfMemory,
                     "The machine ran out of memory. Give a smaller --memory, or less text.");
    } catch (const std::exception& error) {
        return Error(ErrorCode::Internal,
                     std::string("This should not happen, please report it: ") + error.what());
    }
}

bool wantsEvents(std::span<const std::string> arguments) {
    const auto has = [&](const char* word) {
        return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
    };
    return has("analyze") && has("--json");
}

}  // namespace

int runEngineProgram(std::span<const std::string> arguments, const engine::ProbeFactory& factory,
                     std::stop_token stop, Terminal terminal) {
    JsonObserver events(terminal.out);
    const std::optional<Error> error =
        outcomeOf({arguments, factory, std::move(stop), terminal, events});
    if (!error) {
        return 0;
    }
    if (wantsEvents(arguments) && !events.hasFailed()) {
        RunEvent event;
        event.kind = error->code() == ErrorCode::Cancelled ? RunEvent::Kind::Cancelled
                                                           : RunEvent::Kind::Failed;
        event.errorCode = name(error->code());
        event.message = error->what();
        events.onEvent(event);
    }
    terminal.err << kName << ": " << error->what() << std::endl;
    return exitCode(error->code());
}

}  // namespace moescope::app
