// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/outcome.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace moescope::widgets {

/// Where the text of an analysis comes from; mirrors text::TextSource and the engine's options.
enum class TextKind {
    None,
    Prompt,
    Files,
    Csv,
    Jsonl,
    Session  ///< that of the session that is added to
};

/// What "New analysis" asks the engine for. Plain data.
struct AnalysisRequest {
    QString checkpoint;

    TextKind textKind = TextKind::Prompt;
    QString prompt;
    QStringList files;  ///< text files, or the one CSV or JSONL file
    QString column;     ///< name, or index from 0
    QString domainColumn;
    bool hasHeader = true;
    bool splitLines = false;
    QString skipPrefix;
    std::optional<int> maxDocuments;
    bool chatTemplate = false;

    QStringList baselines;
    QStringList experiments;  ///< ids; empty: the engine's default set
    QString device = QStringLiteral("auto");
    QString dtype;   ///< empty: the engine's default
    QString memory;  ///< "8GiB"; empty: the engine's default
    /// Tokens with maps of their own: "spread", "100-163,4000"; empty: the first.
    QString keptFrom;
    /// Sets of experts for expert_removal, "0:3,5:1; 3"; empty: each in turn.
    QString removals;
    QString choices;              ///< a file of multiple-choice questions; empty: none
    QStringList pruneLists;       ///< files of experts to remove together, for pruning
    bool pruneListsOnly = false;  ///< not the curves
    std::optional<int> maxTokens;
    std::optional<int> contextLength;
    QString output;
    /// With TextKind::Session: the session whose text it is. It is `output`, or what `output` is to
    /// be a copy of.
    QString session;
    bool isCopied = false;  ///< the session is copied to `output` first
    bool resume = false;
    /// When set: the arguments of an earlier run that have no member here, used as they are, so
    /// that every option agrees with the session they add to.
    QStringList replay;
    /// Where relative paths of `replay` stand; empty: they are absolute.
    QString folder;

    bool operator==(const AnalysisRequest&) const = default;
};

/// The part of the dialog a problem belongs to.
enum class RequestField { Checkpoint, Text, Baselines, Experiments, Machine, Output };

struct RequestProblem {
    RequestField field = RequestField::Checkpoint;
    QString message;
};

/// What can be seen to be wrong without running anything; empty when the request can be tried.
[[nodiscard]] QList<RequestProblem> check(const AnalysisRequest& request);

/// The arguments after "moescope-engine".
[[nodiscard]] QStringList analyzeArguments(const AnalysisRequest& request, bool dryRun);

/// Splits a line as a POSIX shell would (quotes and backslashes, nothing else); empty when quotes
/// do not close.
[[nodiscard]] QStringList splitCommandLine(const QString& line);

/// Of the lines that made a session the one to go by: the first that brought the text, else the
/// first.
[[nodiscard]] QString lineToReplay(const QString& commandLines);

/// A request that runs what `commandLine` ran with the same options, but computes `experiments` and
/// adds them to `session`, which brings its own text. What has no member stands in `replay`. A line
/// "cd FOLDER && ..." gives the folder. nullopt when the line is not understood.
[[nodiscard]] std::optional<AnalysisRequest> requestToAdd(const QString& commandLine,
                                                          const QString& session,
                                                          const QStringList& experiments,
                                                          bool resume);

/// The checkpoint of a request as a path that holds in any folder.
[[nodiscard]] QString absoluteCheckpoint(const AnalysisRequest& request);

/// True when every experiment asked for needs the weights only.
[[nodiscard]] bool needsNoText(const AnalysisRequest& request);

/// The field an error of the engine belongs to.
[[nodiscard]] RequestField fieldOf(const Problem& problem);

}  // namespace moescope::widgets
