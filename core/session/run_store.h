// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"
#include "core/session/quantity.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace moescope::session {

/// Throws Error(BadSession) that says what differs unless results of `wanted` can be added to those
/// of `existing`, which lie at `where` (RUN.h5 or its folder of parts): model identity, text,
/// baselines, dtype and run options have to agree. Without text, questions or baselines of its own
/// `wanted` takes those of `existing`.
void requireSameRun(const Head& existing, const Head& wanted, const std::filesystem::path& where);

/// Where a run puts what it finished. While it runs, RUN.h5.partial/ holds head.h5 and one small
/// complete HDF5 file per part, each written under a temporary name, flushed, fsynced and renamed:
/// SIGKILL at any moment leaves a set of whole parts. finish() assembles them, with the parts of an
/// earlier RUN.h5 if there is one, into a new RUN.h5 in the same atomic way, then the folder goes.
/// Thread-compatible: one I/O lane owns it.
class RunStore {
public:
    /// What was found when opening.
    enum class Existing { Nothing, Parts, Session, SessionAndParts };

    /// `sessionPath` is RUN.h5. Creates RUN.h5.partial on the first write, and holds a lock on it
    /// so that two runs never write the same session. A folder in which nothing was finished counts
    /// as nothing. Throws Error(FileUnwritable | BadSession | SessionTooNew | Usage).
    explicit RunStore(std::filesystem::path sessionPath);
    ~RunStore();
    RunStore(const RunStore&) = delete;
    RunStore& operator=(const RunStore&) = delete;

    [[nodiscard]] Existing existing() const;
    /// The head on disk (of the parts if there are any, else of the session).
    [[nodiscard]] const std::optional<Head>& existingHead() const;

    /// Adopts `head` for the run. What was finished under the existing head is kept when model
    /// identity, text, baselines, dtype and run options agree (experiments may be added; one whose
    /// version or options changed is computed again); otherwise throws Error(BadSession) saying
    /// what differs. The existing UUID stays, and the existing title unless `head` has one; the
    /// title of a new session without one is the model's name.
    void begin(const Head& head);

    /// True when the part is finished, in the parts folder or in the existing session, under the
    /// same experiment version and options.
    [[nodiscard]] bool hasPart(const PartKey& key) const;
    /// True when layers of the experiment were finished since its part about the whole model was:
    /// they were added to a session that has one.
    [[nodiscard]] bool modelPartIsStale(BranchId branch, const std::string& experiment) const;
    void writePart(const Part& part);
    /// What there is so far of a part that takes long: readers of the run see it until the part
    /// itself is written; it counts as nothing finished and does not come into RUN.h5.
    void writeInterim(const Part& part);

    /// Assembles RUN.h5 from everything finished. Planned but unfinished experiments stay recorded
    /// as planned.
    void finish();
    /// Leaves the parts as they are for --resume (also what the destructor does); a folder without
    /// any goes.
    void suspend();

    [[nodiscard]] const std::filesystem::path& partsFolder() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope::session
