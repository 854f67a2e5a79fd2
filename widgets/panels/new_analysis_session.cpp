// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What "New analysis" does with the session that is open: it offers to add to it.
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/path_field.h"
#include "widgets/panels/text_source_editor.h"
#include "widgets/state/session_to_add.h"
#include "widgets/support/format.h"

#include <QComboBox>
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
    m_session = session;
    m_sessionOutput = output;
    const std::optional<AnalysisRequest> known = requestToAdd(*session, {});
    m_replay = known ? known->replay : QStringList();
    fill(known ? withAbsolutePaths(*known) : AnalysisRequest());
    m_output->setPath(output);
    m_experiments->setInSession(experimentsDone(session->head()));
    if (session->head().corpus.tokenCount() > 0) {
        m_text->offerSession(describeText(*session));
        m_text->setKind(TextKind::Session);
    }
}

void NewAnalysisDialog::fill(const AnalysisRequest& known) {
    if (QFileInfo::exists(known.checkpoint)) {
        m_checkpoint->setPath(known.checkpoint);
    }
    m_baseline->setPaths(known.baselines);
    if (!known.device.isEmpty()) {
        m_device->setCurrentText(known.device);
    }
    // Whatever was asked for: results stand beside each other in one dtype.
    const int dtype = m_dtype->findData(QString::fromStdString(m_session->head().run.dtype));
    m_dtype->setCurrentIndex(std::max(dtype, 0));
    m_memory->setText(known.memory);
    m_kept->setText(known.keptFrom);
}

bool NewAnalysisDialog::isAdding() const {
    return m_session != nullptr &&
           (m_text->kind() == TextKind::Session || m_session->head().corpus.tokenCount() == 0);
}

void NewAnalysisDialog::takeTextKind() {
    const TextKind before = std::exchange(m_kind, m_text->kind());
    if (before == m_kind || (before != TextKind::Session && m_kind != TextKind::Session)) {
        return;
    }
    const bool adds = m_kind == TextKind::Session;
    m_experiments->setInSession(adds ? experimentsDone(m_session->head()) : QStringList());
    m_maxTokens->setEnabled(!adds);
    m_context->setEnabled(!adds);
    if (adds) {
        m_output->setPath(m_sessionOutput);
    } else if (m_output->path() == m_sessionOutput) {
        m_output->setPath({});
        suggestOutput();
    }
}

}  // namespace moescope::widgets
