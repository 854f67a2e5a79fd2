// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/program.h"

#include "app/appearance.h"
#include "app/cli/analyze_options.h"
#include "app/cli/info_options.h"
#include "app/cli/parser.h"
#include "app/demo_command.h"
#include "app/engine_handover.h"
#include "app/export/export_figures.h"
#include "app/info/info.h"
#include "app/install_paths.h"
#include "app/main_window.h"
#include "core/base/error.h"
#include "core/base/version.h"
#include "core/jobs/fault_signals.h"
#include "widgets/state/settings.h"

#include <CLI/CLI.hpp>

#include <QApplication>
#include <QGuiApplication>

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace moescope::app {
namespace {

/// What the command line asked for, beside `analyze`.
struct CommandLine {
    std::shared_ptr<CLI::App> parser = cli::makeParser(
        "moescope",
        "A microscope for mixture-of-experts language models. Without a command the "
        "window opens.");
    cli::AnalyzeCommand analyze;  ///< for --help only: arguments go to the engine as they are
    cli::ExportCommand exportFigures;
    cli::InfoCommand info;
    CLI::App* open = nullptr;
    CLI::App* demo = nullptr;
    std::vector<std::string> files;
    bool headless = false;
    std::string demoFolder = "moescope-demo";
    std::string settings;
    bool resetSettings = false;

    CommandLine() {
        open =
            parser->add_subcommand("open", "Open sessions (or checkpoint folders) in the window");
        open->add_option("PATH", files, "Sessions RUN.h5, or checkpoint folders");
        demo = parser->add_subcommand("demo", "Open the demo that ships with the program");
        demo->add_flag("--headless", headless,
                       "No window: run the demo and write its session and figures to a folder");
        demo->add_option("-o,--output", demoFolder, "Folder for --headless")
            ->type_name("DIR")
            ->capture_default_str();
        analyze.attach(*parser);
        exportFigures.attach(*parser);
        info.attach(*parser);
        parser->add_option("--settings", settings, "Keep the window's settings in this file")
            ->type_name("FILE");
        parser->add_flag("--reset-settings", resetSettings, "Forget layout and recent files");
    }
};

bool hasDisplay() {
    return !qEnvironmentVariableIsEmpty("DISPLAY") ||
           !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
           !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM");
}

void nameApplication() {
    QCoreApplication::setOrganizationName(QStringLiteral("moescope"));
    QCoreApplication::setApplicationName(QStringLiteral("moescope"));
    QCoreApplication::setApplicationVersion(QString::fromUtf8(kVersion));
    QGuiApplication::setDesktopFileName(QString::fromUtf8(kAppId));
}

/// Why none of the files can be shown, for the first of them; nothing where one is there or the
/// window opens without any.
std::optional<Error> whyNone(const std::vector<std::string>& files) {
    std::optional<Error> why;
    for (const std::string& file : files) {
        std::error_code reason;
        std::error_code ignored;
        if (std::filesystem::exists(file, reason) ||
            std::filesystem::exists(file + ".partial", ignored)) {  // of a run that goes on
            return std::nullopt;
        }
        if (!why && reason) {
            why.emplace(ErrorCode::FileUnreadable,
                        file + " cannot be opened: " + reason.message() + '.');
        } else if (!why) {
            why.emplace(ErrorCode::FileNotFound,
                        file + " does not exist" +
                            (files.size() > 1 ? ", nor can the others named be opened." : ".") +
                            " Give a session (RUN.h5) or a checkpoint folder.");
        }
    }
    return why;
}

/// A window that says nothing but that files are not there is of no use to a shell; whoever started
/// the program from a desktop sees nothing else. Throws Error(FileNotFound, FileUnreadable) where
/// none of them is.
void requireAnyFile(const std::vector<std::string>& files) {
    const std::optional<Error> why = whyNone(files);
    if (why && (::isatty(STDERR_FILENO) == 1 || !hasDisplay())) {
        throw Error(*why);
    }
}

int runWindow(const CommandLine& line, int argc, char** argv) {
    requireAnyFile(line.files);
    if (!hasDisplay()) {
        std::cerr << "moescope: There is no display for the window. Use \"moescope export\" or "
                     "\"moescope demo --headless\" to get figures without one.\n";
        return 1;
    }
    const QApplication application(argc, argv);
    nameApplication();
    widgets::Settings settings(QString::fromStdString(line.settings));
    if (line.resetSettings) {
        settings.reset();
    }
    Appearance appearance(settings);
    appearance.apply();
    widgets::Workspace workspace(findInstallPaths(QString::fromStdString(programFolder())),
                                 settings);
    MainWindow window(workspace);
    window.show();
    QStringList paths;
    for (const std::string& file : line.files) {
        paths << QString::fromStdString(std::filesystem::absolute(file).string());
    }
    window.openPaths(paths);
    if (line.demo->parsed()) {
        window.openDemo();
    }
    return QApplication::exec();
}

int runHeadlessDemo(const CommandLine& line, int argc, char** argv) {
    cli::prepareDrawing();
    const QApplication application(argc, argv);
    nameApplication();
    runDemoHeadless(findInstallPaths(QString::fromStdString(programFolder())),
                    std::filesystem::absolute(line.demoFolder), std::cout, std::cerr);
    return 0;
}

int dispatch(const std::vector<std::string>& arguments, int argc, char** argv) {
    CommandLine line;
    // The engine reads its own arguments; only a plain question for help is answered here.
    const bool forEngine = !arguments.empty() && arguments.front() == "analyze";
    const bool asksHelp =
        arguments.size() == 2 && (arguments.back() == "--help" || arguments.back() == "-h");
    if (forEngine && !asksHelp) {
        handOverToEngine(arguments);
    }
    if (const auto text = cli::parse(*line.parser, arguments)) {
        std::cout << *text;
        return 0;
    }
    if (line.exportFigures.wasCalled()) {
        return cli::runExport(line.exportFigures.result(), argc, argv);
    }
    if (line.info.wasCalled()) {
        std::cout << info::infoText(line.info.result());
        return 0;
    }
    if (line.demo->parsed() && line.headless) {
        return runHeadlessDemo(line, argc, argv);
    }
    return runWindow(line, argc, argv);
}

}  // namespace

int runProgram(int argc, char** argv) {
    jobs::reportFaults("moescope");
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        return dispatch(arguments, argc, argv);
    } catch (const Error& error) {
        std::cerr << "moescope: " << error.what() << '\n';
        return exitCode(error.code());
    } catch (const std::exception& error) {
        std::cerr << "moescope: " << error.what() << '\n';
        return exitCode(ErrorCode::Internal);
    }
}

}  // namespace moescope::app
