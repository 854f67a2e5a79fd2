// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What "New analysis" does with the session that is open: it offers to add to it.
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/path_field.h"
#include "widgets/panels/text_source_editor.h"
#include "widgets/state/session_to_add.h"
#include "widgets/support/format.h"

#include <QComboBox>
#include <QFile>
#include <QFileInfo>
#include <QLineEdit>
#include <QSpinBox>

#include <algorithm>
#include <utility>

namespace moescope::widgets {
namespace {

QString describeText(const OpenSession& session) {
    const text::TokenizedCorpus& corpus = session.head().corpus;
    const auto documents = static_cast<std::uint64_t>(corpus.documentCount());
    const QString counts =
        documents == 1
            ? NewAnalysisDialog::tr("1 document, %1 tokens").arg(formatCount(corpus.tokenCount()))
            : NewAnalysisDialog::tr("%1 documents, %2 tokens")
                  .arg(formatCount(documents), formatCount(corpus.tokenCount()));
    return NewAnalysisDialog::tr(
               "%1: %2. What is computed is added to that session, with the "
               "options it was made with; what it has stays as it is.")
        .arg(session.title, counts);
}

}  // namespace

void NewAnalysisDialog::setSession(const SessionSnapshot& session, const QString& output) {
    const bool hasText = session->head().corpus.tokenCount() > 0;
    if (!hasText) {
        m_text->withdrawSession();  // while the old one is known, whose text it was
    }
    m_session = session;
    m_sessionOutput = output;
    m_copy.clear();
    const std::optional<AnalysisRequest> known = requestToAdd(*session, {});
    m_replay = known ? known->replay : QStringList();
    if (hasText) {
        m_text->offerSession(describeText(*session));
        m_text->setKind(TextKind::Session);
    }
    m_output->setPath(output);
    m_experiments->setInSession(experimentsDone(session->head()));
    fill(known ? withAbsolutePaths(*known) : AnalysisRequest());
}

void NewAnalysisDialog::fill(const AnalysisRequest& known) {
    if (QFileInfo::exists(known.checkpoint)) {
        m_checkpoint->setPath(known.checkpoint);
    }
    exchangeSettings(request(), known);
    takeSessionDtype();
    m_filled = request();
}

void NewAnalysisDialog::takeSessionDtype() {
    // Whatever was asked for: results stand beside each other in one dtype.
    const int dtype = m_dtype->findData(QString::fromStdString(m_session->head().run.dtype));
    m_dtype->setCurrentIndex(std::max(dtype, 0));
}

void NewAnalysisDialog::exchangeSettings(const AnalysisRequest& old, const AnalysisRequest& now) {
    const AnalysisRequest shown = request();
    if (shown.baselines == old.baselines) {
        m_baseline->setPaths(now.baselines);
    }
    if (shown.device == old.device) {
        // A line that says none means the default.
        m_device->setCurrentText(now.device.isEmpty() ? AnalysisRequest().device : now.device);
    }
    if (shown.dtype == old.dtype) {
        m_dtype->setCurrentIndex(std::max(m_dtype->findData(now.dtype), 0));
    }
    if (shown.memory == old.memory) {
        m_memory->setText(now.memory);
    }
    if (shown.keptFrom == old.keptFrom) {
        m_kept->setText(now.keptFrom);
    }
}

bool NewAnalysisDialog::isAdding() const {
    if (m_session == nullptr) {
        return false;
    }
    // A session without text brings none that would say so: its file does.
    return m_text->kind() == TextKind::Session ||
           (m_session->head().corpus.tokenCount() == 0 && m_output->path() == m_sessionOutput);
}

void NewAnalysisDialog::takeTarget() {
    const bool adds = isAdding();
    if (std::exchange(m_adds, adds) == adds) {
        return;
    }
    m_experiments->setInSession(adds ? experimentsDone(m_session->head()) : QStringList());
    if (adds) {
        exchangeSettings({}, m_filled);
        takeSessionDtype();
        if (!m_filled.checkpoint.isEmpty()) {
            m_checkpoint->setPath(m_filled.checkpoint);
        }
    } else {
        exchangeSettings(m_filled, {});
    }
    if (m_session->head().corpus.tokenCount() > 0) {
        takeSessionText(adds);
    }
}

void NewAnalysisDialog::takeSessionText(bool isTaken) {
    m_maxTokens->setEnabled(!isTaken);
    m_context->setEnabled(!isTaken);
    if (isTaken) {
        m_output->setPath(m_sessionOutput);
    } else if (m_output->path() == m_sessionOutput) {
        m_output->setPath({});
        suggestOutput();
    }
}

bool NewAnalysisDialog::makeCopy(const AnalysisRequest& wanted) {
    if (!wanted.isCopied || wanted.output == m_copy) {
        return true;  // it is there from a start before
    }
    if (QFileInfo::exists(wanted.output)) {
        showProblem(RequestField::Output,
                    {{},
                     tr("The session is added to in a copy, and there is a file %1 already: choose "
                        "another name.")
                         .arg(wanted.output),
                     {}});
        return false;
    }
    const QString why = copySession(wanted.session, wanted.output);
    if (!why.isEmpty()) {
        showProblem(RequestField::Output,
                    {{},
                     tr("The session is added to in a copy, and %1 cannot be written: %2. Make "
                        "its folder writable.")
                         .arg(wanted.output, why),
                     {}});
        return false;
    }
    m_copy = wanted.output;
    return true;
}

void NewAnalysisDialog::dropCopy() {
    // What a stopped run has finished goes on with the copy.
    if (!m_copy.isEmpty() && !QFileInfo::exists(m_copy + QStringLiteral(".partial")) &&
        QFile::remove(m_copy)) {
        m_copy.clear();
    }
}

}  // namespace moescope::widgets
