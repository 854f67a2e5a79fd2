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

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
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

/// A window that says nothing but that files are not there is of no use to a shell. Throws
/// Error(FileNotFound) where none of them is.
void requireAnyFile(const std::vector<std::string>& files) {
    const bool isAnyThere = std::any_of(files.begin(), files.end(), [](const std::string& file) {
        std::error_code ignored;
        return std::filesystem::exists(file, ignored) ||
               std::filesystem::exists(file + ".partial", ignored);  // of a run that goes on
    });
    if (!files.empty() && !isAnyThere) {
        throw Error(
            ErrorCode::FileNotFound,
            files.front() +
                (files.size() > 1 ? " and the others named do not exist." : " does not exist.") +
                " Give a session (RUN.h5) or a checkpoint folder.");
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
        const cli::InfoOptions options = line.info.result();
        std::cout << info::infoText(options.path, options.json, options.datasets);
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
