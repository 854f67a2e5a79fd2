// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/analysis_request.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/options.h"
#include "core/experiments/removed_experts.h"
#include "core/text/token_selection.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSet>

#include <algorithm>

namespace moescope::widgets {
namespace {

/// As one argument. What is chosen one by one is run alone: the name of importance would bring all
/// that its table shows.
QString experimentList(QStringList ids) {
    ids.replaceInStrings(QRegularExpression(QStringLiteral("^importance$")), QStringLiteral("E1"));
    return ids.join(QLatin1Char(','));
}

QString tr(const char* text) {
    return QCoreApplication::translate("moescope::widgets::AnalysisRequest", text);
}

bool isCode(const QString& code, std::initializer_list<ErrorCode> codes) {
    return std::any_of(codes.begin(), codes.end(), [&](ErrorCode c) {
        const std::string_view word = name(c);
        return code == QLatin1String(word.data(), static_cast<qsizetype>(word.size()));
    });
}

/// One argument, since a text may begin with a dash.
QString joined(const QString& option, const QString& value) {
    return option + QLatin1Char('=') + value;
}

void appendOption(QStringList& arguments, const QString& option, const QString& value) {
    if (!value.isEmpty()) {
        arguments << option << value;
    }
}

void appendNumber(QStringList& arguments, const QString& option, const std::optional<int>& value) {
    if (value) {
        arguments << option << QString::number(*value);
    }
}

QStringList tableArguments(const AnalysisRequest& request) {
    QStringList arguments;
    appendOption(arguments, QStringLiteral("--column"), request.column);
    appendOption(arguments, QStringLiteral("--domain-column"), request.domainColumn);
    if (request.textKind == TextKind::Csv) {
        if (!request.hasHeader) {
            arguments << QStringLiteral("--no-header");
        }
        if (request.splitLines) {
            arguments << QStringLiteral("--split-lines");
            if (!request.skipPrefix.isEmpty()) {
                arguments << joined(QStringLiteral("--skip-prefix"), request.skipPrefix);
            }
        }
    }
    return arguments;
}

QStringList textArguments(const AnalysisRequest& request) {
    QStringList arguments;
    switch (request.textKind) {
        case TextKind::None:
        case TextKind::Session:
            return arguments;
        case TextKind::Prompt:
            arguments << joined(QStringLiteral("--prompt"), request.prompt);
            break;
        case TextKind::Files:
            arguments << QStringLiteral("--text") << request.files;
            break;
        case TextKind::Csv:
            arguments << QStringLiteral("--csv") << request.files.value(0);
            arguments << tableArguments(request);
            break;
        case TextKind::Jsonl:
            arguments << QStringLiteral("--jsonl") << request.files.value(0);
            arguments << tableArguments(request);
            break;
    }
    appendNumber(arguments, QStringLiteral("--max-documents"), request.maxDocuments);
    if (request.chatTemplate) {
        arguments << QStringLiteral("--chat");
    }
    return arguments;
}

QString checkpointProblem(const QString& path) {
    if (path.isEmpty()) {
        return tr("Choose the folder of a checkpoint.");
    }
    const QFileInfo info(path);
    if (!info.exists()) {
        return tr("%1 does not exist. Choose the folder of a checkpoint.").arg(path);
    }
    return {};
}

QString filesProblem(const AnalysisRequest& request) {
    if (request.files.isEmpty()) {
        return tr("Choose at least one file.");
    }
    for (const QString& file : request.files) {
        if (!QFileInfo::exists(file)) {
            return tr("%1 does not exist.").arg(file);
        }
    }
    const bool table = request.textKind == TextKind::Csv || request.textKind == TextKind::Jsonl;
    if (table && request.column.isEmpty()) {
        return tr("Name the column that holds the text.");
    }
    return {};
}

QString textProblem(const AnalysisRequest& request) {
    switch (request.textKind) {
        case TextKind::None:
            // A session that is added to brings its text; the engine knows whether it has one.
            return needsNoText(request) || QFileInfo::exists(request.output)
                       ? QString()
                       : tr("The chosen experiments need a text. Type one, choose files, or keep "
                            "only the experiments on weights.");
        case TextKind::Session:
            return {};
        case TextKind::Prompt:
            return request.prompt.trimmed().isEmpty() ? tr("Type a text or choose a preset.")
                                                      : QString();
        default:
            return filesProblem(request);
    }
}

QString outputProblem(const AnalysisRequest& request) {
    const QString& path = request.output;
    const bool adds = request.textKind == TextKind::Session;
    if (adds && path != request.session && !request.isCopied) {
        return tr("What is computed on the session's own text is added to the session: choose %1 "
                  "again, or give a text for a session of its own.")
            .arg(request.session);
    }
    if (path.isEmpty()) {
        return tr("Choose where the session is kept.");
    }
    const QFileInfo folder(QFileInfo(path).absolutePath());
    if (!folder.isDir()) {
        return tr("The folder %1 does not exist.").arg(folder.filePath());
    }
    if (!folder.isWritable()) {
        return tr("%1 cannot be written to. Choose another folder.").arg(folder.filePath());
    }
    return {};
}

QString memoryProblem(const QString& memory) {
    static const QRegularExpression form(
        QStringLiteral("^\\s*\\d+(\\.\\d+)?\\s*([KMGT]i?B?)?\\s*$"),
        QRegularExpression::CaseInsensitiveOption);
    return memory.isEmpty() || form.match(memory).hasMatch()
               ? QString()
               : tr("Write the memory budget as a number with a unit, for example 8GiB.");
}

const QString kRemoval = QStringLiteral("expert_removal");

QStringList removalSets(const AnalysisRequest& request) {
    QStringList sets;
    for (const QString& set : request.removals.split(QLatin1Char(';'), Qt::SkipEmptyParts)) {
        sets << set.simplified().remove(QLatin1Char(' '));
    }
    return sets;
}

QString removalProblem(const AnalysisRequest& request) {
    std::vector<std::string> sets;
    for (const QString& set : removalSets(request)) {
        sets.push_back(set.toStdString());
    }
    if (!sets.empty() && !request.experiments.contains(kRemoval)) {
        return tr("Experts to remove are named, but their removal is not among the experiments.");
    }
    try {
        static_cast<void>(experiments::canonicalRemovals(sets));
        return {};
    } catch (const Error&) {
        return tr(
            "Write the experts to remove as layer:expert, for example 0:3,5:1, or as an "
            "expert alone for every layer, with a semicolon between sets.");
    }
}

QString choicesProblem(const AnalysisRequest& request) {
    if (request.choices.isEmpty()) {
        return {};
    }
    const bool isAsked = std::any_of(
        request.experiments.begin(), request.experiments.end(),
        [](const QString& id) { return experiments::answersChoices(id.toStdString()); });
    if (!isAsked) {
        return tr(
            "Questions are answered by the removal of experts, fewer experts and pruning "
            "curves: choose one of them, or leave the questions out.");
    }
    return QFileInfo::exists(request.choices) ? QString()
                                              : tr("%1 does not exist.").arg(request.choices);
}

QString pruneListsProblem(const AnalysisRequest& request) {
    if (request.pruneLists.isEmpty()) {
        return request.pruneListsOnly ? tr("Lists only is ticked, and no prune list is given: "
                                           "choose one, or untick it "
                                           "to measure the curves.")
                                      : QString();
    }
    if (!request.experiments.contains(QStringLiteral("pruning"))) {
        return tr(
            "Prune lists are measured by the pruning curves: choose them, or leave the "
            "lists out.");
    }
    for (const QString& list : request.pruneLists) {
        if (!QFileInfo::exists(list)) {
            return tr("%1 does not exist.").arg(list);
        }
    }
    return {};
}

QString keptProblem(const QString& kept) {
    if (kept.isEmpty() || kept == QLatin1String("first") || kept == QLatin1String("spread")) {
        return {};
    }
    try {
        static_cast<void>(text::canonicalRanges(kept.toStdString()));
        return {};
    } catch (const Error&) {
        return tr(
            "Write the tokens to keep as numbers and ranges, for example 100-163,4000, or as "
            "first or spread.");
    }
}

}  // namespace

bool needsNoText(const AnalysisRequest& request) {
    return !request.experiments.isEmpty() &&
           std::all_of(
               request.experiments.begin(), request.experiments.end(), [](const QString& id) {
                   const auto* info = experiments::findExperiment(id.toStdString());
                   return info != nullptr && info->kind == experiments::ExperimentKind::Static;
               });
}

QList<RequestProblem> check(const AnalysisRequest& request) {
    QList<RequestProblem> problems;
    const auto add = [&](RequestField field, const QString& message) {
        if (!message.isEmpty()) {
            problems.append({field, message});
        }
    };
    add(RequestField::Checkpoint, checkpointProblem(request.checkpoint));
    add(RequestField::Text, textProblem(request));
    for (const QString& baseline : request.baselines) {
        add(RequestField::Baselines, checkpointProblem(baseline));
    }
    if (request.experiments.isEmpty()) {
        add(RequestField::Experiments,
            request.textKind == TextKind::Session
                ? tr("Tick the experiments to add to the session; it has those that are marked.")
                : tr("Choose at least one experiment."));
    }
    add(RequestField::Machine, memoryProblem(request.memory));
    add(RequestField::Machine, keptProblem(request.keptFrom));
    add(RequestField::Experiments, removalProblem(request));
    add(RequestField::Experiments, choicesProblem(request));
    add(RequestField::Experiments, pruneListsProblem(request));
    add(RequestField::Output, outputProblem(request));
    return problems;
}

QStringList splitCommandLine(const QString& line) {
    QStringList words;
    QString word;
    bool inWord = false;
    QChar quote;
    for (qsizetype i = 0; i < line.size(); ++i) {
        const QChar c = line.at(i);
        if (!quote.isNull()) {
            if (c == quote) {
                quote = QChar();
            } else {
                word += c;
            }
        } else if (c == QLatin1Char('\'') || c == QLatin1Char('"')) {
            quote = c;
            inWord = true;
        } else if (c == QLatin1Char('\\') && i + 1 < line.size()) {
            word += line.at(++i);
            inWord = true;
        } else if (!c.isSpace()) {
            word += c;
            inWord = true;
        } else if (inWord) {
            words << word;
            word.clear();
            inWord = false;
        }
    }
    if (inWord) {
        words << word;
    }
    return quote.isNull() ? words : QStringList();
}

namespace {

/// Options that name a text.
bool isTextOption(const QString& option) {
    static const QSet<QString> names{QStringLiteral("--text"), QStringLiteral("--prompt"),
                                     QStringLiteral("--preset"), QStringLiteral("--csv"),
                                     QStringLiteral("--jsonl")};
    return names.contains(option);
}

/// Options that a replayed line leaves out: the session brings its text, its questions and the sets
/// of experts it has removed, and the window says where the results go and how.
bool isLeftOut(const QString& option) {
    static const QSet<QString> names{QStringLiteral("--resume"),
                                     QStringLiteral("--restart"),
                                     QStringLiteral("--dry-run"),
                                     QStringLiteral("--json"),
                                     QStringLiteral("--experiments"),
                                     QStringLiteral("-o"),
                                     QStringLiteral("--output"),
                                     QStringLiteral("--title"),
                                     QStringLiteral("--text"),
                                     QStringLiteral("--prompt"),
                                     QStringLiteral("--preset"),
                                     QStringLiteral("--csv"),
                                     QStringLiteral("--jsonl"),
                                     QStringLiteral("--column"),
                                     QStringLiteral("--domain-column"),
                                     QStringLiteral("--no-header"),
                                     QStringLiteral("--split-lines"),
                                     QStringLiteral("--skip-prefix"),
                                     QStringLiteral("--max-documents"),
                                     QStringLiteral("--max-tokens"),
                                     QStringLiteral("--context"),
                                     QStringLiteral("--chat"),
                                     QStringLiteral("--choices"),
                                     QStringLiteral("--remove"),
                                     QStringLiteral("--remove-controls"),
                                     QStringLiteral("--prune-list"),
                                     QStringLiteral("--prune-lists-only")};
    return names.contains(option);
}

/// Takes "cd FOLDER &&" off the front; the folder, or nothing.
QString takeFolder(QStringList& words) {
    if (words.size() < 3 || words.at(0) != QLatin1String("cd") ||
        words.at(2) != QLatin1String("&&")) {
        return {};
    }
    QString folder = words.at(1);
    words = words.mid(3);
    return folder;
}

}  // namespace

namespace {

/// Takes an option that has a member out of `words` at `at`, which moves to its last word.
bool takeMember(const QStringList& words, qsizetype& at, AnalysisRequest& request) {
    const QString& word = words.at(at);
    const QString option = word.section(QLatin1Char('='), 0, 0);
    QString* const member = option == QLatin1String("--device")      ? &request.device
                            : option == QLatin1String("--dtype")     ? &request.dtype
                            : option == QLatin1String("--memory")    ? &request.memory
                            : option == QLatin1String("--kept-from") ? &request.keptFrom
                                                                     : nullptr;
    const bool isBaseline = option == QLatin1String("--baseline");
    const bool isApart = option.size() == word.size();  // its value is the next word
    if ((member == nullptr && !isBaseline) || (isApart && at + 1 == words.size())) {
        return false;
    }
    at += isApart ? 1 : 0;
    const QString value = isApart ? words.at(at) : word.mid(option.size() + 1);
    if (isBaseline) {
        request.baselines << value;
    } else {
        *member = value;
    }
    return true;
}

}  // namespace

QString lineToReplay(const QString& commandLines) {
    const QStringList lines = commandLines.split(QLatin1Char('\n'));
    for (const QString& line : lines) {
        const QStringList words = splitCommandLine(line);
        const bool bringsText = std::any_of(words.begin(), words.end(), [](const QString& word) {
            return isTextOption(word.section(QLatin1Char('='), 0, 0));
        });
        if (bringsText) {
            return line;
        }
    }
    return lines.value(0);
}

std::optional<AnalysisRequest> requestToAdd(const QString& commandLine, const QString& session,
                                            const QStringList& experiments, bool resume) {
    QStringList words = splitCommandLine(commandLine);
    AnalysisRequest request;
    request.folder = takeFolder(words);
    // PROGRAM analyze CHECKPOINT ...
    if (words.size() < 3 || words.at(1) != QLatin1String("analyze") ||
        words.at(2).startsWith(QLatin1Char('-'))) {
        return std::nullopt;
    }
    request.checkpoint = words.at(2);
    request.textKind = TextKind::Session;
    request.session = session;
    request.output = session;
    request.experiments = experiments;
    request.device.clear();  // the engine's default, as in that run
    request.resume = resume;
    request.replay = words.mid(1, 2);
    bool skipping = false;  // the words of an option that is left out
    for (qsizetype at = 3; at < words.size(); ++at) {
        const QString& word = words.at(at);
        const bool isOption = word.size() > 1 && word.startsWith(QLatin1Char('-'));
        if (isOption) {
            skipping = isLeftOut(word.section(QLatin1Char('='), 0, 0));
        }
        if (!skipping && !takeMember(words, at, request)) {
            request.replay << word;
        }
    }
    return request;
}

QString absoluteCheckpoint(const AnalysisRequest& request) {
    return request.folder.isEmpty() ? request.checkpoint
                                    : QDir(request.folder).absoluteFilePath(request.checkpoint);
}

namespace {

void appendLists(QStringList& arguments, const AnalysisRequest& request) {
    for (const QString& list : request.pruneLists) {
        appendOption(arguments, QStringLiteral("--prune-list"), list);
    }
    if (request.pruneListsOnly && !request.pruneLists.isEmpty()) {
        arguments << QStringLiteral("--prune-lists-only");
    }
}

void appendExperiments(QStringList& arguments, const AnalysisRequest& request) {
    for (const QString& baseline : request.baselines) {
        arguments << QStringLiteral("--baseline") << baseline;
    }
    if (!request.experiments.isEmpty()) {
        arguments << QStringLiteral("--experiments") << experimentList(request.experiments);
    }
    appendOption(arguments, QStringLiteral("--device"), request.device);
    appendOption(arguments, QStringLiteral("--dtype"), request.dtype);
    appendOption(arguments, QStringLiteral("--memory"), request.memory);
    appendOption(arguments, QStringLiteral("--kept-from"), request.keptFrom);
    for (const QString& set : removalSets(request)) {
        appendOption(arguments, QStringLiteral("--remove"), set);
    }
    appendLists(arguments, request);
    appendOption(arguments, QStringLiteral("--choices"), request.choices);
}

void appendMode(QStringList& arguments, const AnalysisRequest& request, bool dryRun) {
    if (request.resume && !dryRun) {
        arguments << QStringLiteral("--resume");
    }
    if (dryRun) {
        arguments << QStringLiteral("--dry-run");
    }
    arguments << QStringLiteral("--json");
}

}  // namespace

QStringList analyzeArguments(const AnalysisRequest& request, bool dryRun) {
    QStringList arguments = request.replay;
    if (arguments.isEmpty()) {
        arguments << QStringLiteral("analyze") << request.checkpoint;
    }
    arguments << textArguments(request);
    appendExperiments(arguments, request);
    if (request.textKind != TextKind::Session) {
        appendNumber(arguments, QStringLiteral("--max-tokens"), request.maxTokens);
        appendNumber(arguments, QStringLiteral("--context"), request.contextLength);
    }
    // An estimate is of the session that the copy will be of.
    appendOption(arguments, QStringLiteral("-o"),
                 dryRun && request.isCopied ? request.session : request.output);
    appendMode(arguments, request, dryRun);
    return arguments;
}

RequestField fieldOf(const Problem& problem) {
    const QString& errorCode = problem.code;
    static const QRegularExpression ofExperiments(QStringLiteral("^(Prune list|Removed experts) "));
    if (problem.message.contains(ofExperiments)) {
        return RequestField::Experiments;
    }
    if (isCode(errorCode, {ErrorCode::BadText})) {
        return RequestField::Text;
    }
    if (isCode(errorCode, {ErrorCode::BaselineMismatch})) {
        return RequestField::Baselines;
    }
    if (isCode(errorCode, {ErrorCode::FileUnwritable, ErrorCode::DiskFull, ErrorCode::BadSession,
                           ErrorCode::SessionTooNew})) {
        return RequestField::Output;
    }
    if (isCode(errorCode, {ErrorCode::MemoryBudget, ErrorCode::OutOfMemory, ErrorCode::Device})) {
        return RequestField::Machine;
    }
    return RequestField::Checkpoint;
}

}  // namespace moescope::widgets
