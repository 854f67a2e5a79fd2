// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_phase.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/engine/device.h"
#include "core/engine/run_results.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace moescope::engine {
namespace {

/// How often those who watch a run see what its branches have come to.
constexpr std::chrono::milliseconds kShowEvery{1000};

std::string keyOf(const BranchProbe& probe, std::size_t branch,
                  const std::vector<Intervention>& all) {
    return fmt::format("{} {}", probe.resultSize(branch), all[branch].name);
}

}  // namespace

void recallBranches(const std::filesystem::path& session, const model::ModelSpec& model,
                    const PlannedExperiment& experiment, const BranchProbe& probe,
                    const BranchProbe::Recalled& recalled) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(session, ignored)) {
        const KeptResults kept(session::Session::open(session), *experiment.info);
        probe.recall(model, kept, recalled);
    }
}

BranchPhase::BranchPhase(Setup setup, RunProgress& progress, PartWriter& writer,
                         std::stop_token stop)
    : m_setup(std::move(setup)),
      m_progress(progress),
      m_writer(writer),
      m_watch(std::move(stop)),
      m_passed(text::withChoices(m_setup.corpus, m_setup.request.choices)),
      m_shown(Clock::now()) {}

ModelContext BranchPhase::context() const {
    const OpenedModel& model = *m_setup.models.model;
    return {model.spec, model.checkpoint, m_setup.corpus, &m_setup.request.choices};
}

void BranchPhase::run() {
    auto stage = m_setup.plan.branchStages.begin();
    for (const PlannedExperiment* experiment : m_setup.plan.branching) {
        for (const auto& probe : experiment->probes.branches) {
            const RunResults results(m_setup.partsFolder, m_setup.request.session);
            const auto branches = probe->branchesFrom(m_setup.models.model->spec, results);
            run(*experiment, *probe, branches, (stage++)->name);
        }
    }
}

void BranchPhase::run(const PlannedExperiment& experiment, BranchProbe& probe,
                      const std::vector<Intervention>& all, const std::string& stage) {
    const model::ModelSpec& spec = m_setup.models.model->spec;
    UnitJournal journal(m_setup.partsFolder / fmt::format("units-{}.bin", experiment.info->id),
                        fingerprint(experiment));
    probe.begin(context(), all);
    std::set<std::size_t> known;
    recallBranches(m_setup.request.session, spec, experiment, probe,
                   [&](std::size_t branch, const std::vector<double>& result) {
                       probe.restore(branch, result);
                       known.insert(branch);
                   });
    std::vector<std::size_t> missing;
    std::vector<Intervention> branches;
    std::vector<Intervention> counted;  // with those of an interrupted run
    for (std::size_t b = 0; b < all.size(); ++b) {
        if (known.contains(b)) {
            continue;
        }
        counted.push_back(all[b]);
        if (const std::string key = keyOf(probe, b, all); journal.contains(key)) {
            probe.restore(b, journal.read(key));
        } else {
            missing.push_back(b);
            branches.push_back(all[b]);
        }
    }
    const auto stepsOf = [&](const std::vector<Intervention>& some) {
        return BranchPass::steps(some, spec.layerCount(), experiment.branchesAtOnce);
    };
    const std::uint64_t steps = stepsOf(counted);
    m_progress.beginBranches(stage, steps, steps - std::min(steps, stepsOf(branches)));
    pass(experiment, probe, journal, all, missing);
    m_watch.measure();
}

void BranchPhase::pass(const PlannedExperiment& experiment, BranchProbe& probe,
                       UnitJournal& journal, const std::vector<Intervention>& all,
                       const std::vector<std::size_t>& missing) {
    std::vector<Intervention> branches;
    branches.reserve(missing.size());
    for (const std::size_t branch : missing) {
        branches.push_back(all[branch]);
    }
    const auto step = [&] {
        m_progress.branchStep();
        show(experiment, probe);
    };
    const auto done = [&](std::size_t branch) {
        const std::size_t place = missing[branch];
        journal.append(keyOf(probe, place, all), probe.result(place));
        m_hasNews = true;
    };
    BranchPass pass({.model = *m_setup.models.model,
                     .devices = m_setup.plan.devices,
                     .dtype = m_setup.plan.place.dtype,
                     .limits = m_setup.limits,
                     .memory = m_setup.plan.memory,
                     .corpus = m_passed,
                     .atOnce = experiment.branchesAtOnce,
                     .poll = [this] { m_watch.look(); },
                     .step = step,
                     .done = done});
    pass.run(branches, [&](const LogitsBlock& block) {
        const auto branch = block.branch ? std::optional(missing[*block.branch]) : std::nullopt;
        probe.consume({.branch = branch, .firstToken = block.firstToken, .logits = block.logits});
    });
    m_bytesRead += pass.bytesRead();
}

void BranchPhase::show(const PlannedExperiment& experiment, BranchProbe& probe) {
    const auto now = Clock::now();
    if (!m_hasNews || now - m_shown < kShowEvery) {
        return;
    }
    m_shown = now;
    m_hasNews = false;
    if (auto part = probe.interim(context())) {
        part->key = {BranchId{0}, std::string(experiment.info->id), std::nullopt};
        m_writer.show(*part);
    }
}

/// What came of a branch holds for this model, text and definition; its name says the rest.
std::string BranchPhase::fingerprint(const PlannedExperiment& experiment) const {
    Sha256 hash;
    hash.update(m_setup.models.model->checkpoint.identity());
    hash.update(std::as_bytes(std::span(m_setup.corpus.ids)));
    hash.update(std::as_bytes(std::span(m_setup.corpus.offsets)));
    hash.update(m_setup.request.choices.digest());
    hash.update(fmt::format("{} {} {} {}", experiment.info->id, experiment.info->version,
                            describe(m_setup.plan.place.dtype), m_setup.request.topK.value_or(0)));
    return hash.hexDigest();
}

}  // namespace moescope::engine
