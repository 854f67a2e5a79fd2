// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run.h"

#include "core/base/error.h"
#include "core/engine/branch_phase.h"
#include "core/engine/brief_waits.h"
#include "core/engine/device.h"
#include "core/engine/device_memory.h"
#include "core/engine/no_autograd.h"
#include "core/engine/runner.h"
#include "core/engine/session_head.h"
#include "core/engine/session_settings.h"
#include "core/experiments/options.h"
#include "core/session/run_store.h"
#include "core/session/session.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <set>
#include <utility>

namespace moescope::engine {
namespace {

using session::RunEvent;

/// Opens, plans and runs one request.
class RunJob {
public:
    RunJob(RunRequest request, const ProbeFactory& factory)
        : m_request(std::move(request)), m_factory(factory) {}

    Estimate estimateOnly() {
        lookForExisting();
        open(m_existing ? &m_existing->head() : nullptr);
        if (m_existing) {
            m_request.corpus = m_corpus;
            session::requireSameRun(m_existing->head(),
                                    makeHead(m_request, m_models, m_experiments, m_plan),
                                    m_existing->path());
        }
        plan([this](const session::PartKey& key) { return isDoneForEstimate(key); }, 0);
        return m_plan.estimate;
    }

    RunReport run(RunObserver& observer, const std::stop_token& stop) {
        const auto start = std::chrono::steady_clock::now();
        Events events(observer);
        auto store = openStore();
        open(store->existingHead() ? &*store->existingHead() : nullptr);
        m_request.corpus = m_corpus;
        session::Head head = makeHead(m_request, m_models, m_experiments, m_plan);
        const std::string longDocuments = longDocumentsWarning(m_models.model->spec, m_corpus);
        if (!longDocuments.empty()) {
            head.warnings.push_back(longDocuments);
        }
        const bool resumes = store->existingHead().has_value();
        store->begin(head);
        const bool baselines = !m_models.baselines.empty();
        const ResidualCheckpoint residual(store->partsFolder(),
                                          residualFingerprint(head, baselines));
        planResumed(*store, residual);
        announce(events);
        for (const std::string& warning : head.warnings) {
            events.warn(warning);
        }
        if (m_request.interrupted == Interrupted::Resume && !resumes) {
            events.warn(fmt::format("There is nothing to resume at {}: this run begins anew.",
                                    store->partsFolder().string()));
        } else if (m_replaces) {
            events.warn(
                fmt::format("{} is what a run left that was stopped before anything of it "
                            "was finished: there is nothing to go on with, and this run "
                            "begins again.",
                            store->partsFolder().string()));
        }

        PartWriter writer(*store, events);
        Runner runner(
            {m_request, m_models, m_experiments, m_plan, m_corpus, residual, store->partsFolder()},
            writer, events, stop);
        try {
            runner.run();
            runBranches(*store, stop, runner, writer);
            writeModelParts(*store, writer);
            writer.drain();
            store->finish();
        } catch (const Error& error) {
            suspend(*store, writer);
            throw withRemains(error, *store);
        } catch (...) {
            suspend(*store, writer);
            throw;
        }
        return report(head, runner, writer, start, events);
    }

private:
    static void suspend(session::RunStore& store, PartWriter& writer) {
        writer.settle();
        store.suspend();
    }

    /// The error with what is left of the run; the parts folder is there if anything was finished.
    static Error withRemains(const Error& error, const session::RunStore& store) {
        std::error_code ignored;
        if (std::filesystem::exists(store.partsFolder(), ignored)) {
            return {error.code(), fmt::format("{} What is finished is kept in {}; go on with "
                                              "--resume.",
                                              error.what(), store.partsFolder().string())};
        }
        if (error.code() == ErrorCode::Cancelled) {
            return {error.code(),
                    fmt::format("{} Nothing was finished: nothing is kept of it.", error.what())};
        }
        return error;
    }

    /// Opens the store as the request says what to do with an interrupted run or another session.
    std::unique_ptr<session::RunStore> openStore() {
        using Existing = session::RunStore::Existing;
        std::error_code ignored;
        const bool isBegun =
            std::filesystem::exists(m_request.session.string() + ".partial/head.h5", ignored);
        auto store = std::make_unique<session::RunStore>(m_request.session);
        const Existing existing = store->existing();
        const bool parts = existing == Existing::Parts || existing == Existing::SessionAndParts;
        m_replaces = isBegun && !parts;
        if (parts && m_request.interrupted == Interrupted::Discard) {
            const auto folder = store->partsFolder();
            store.reset();
            std::filesystem::remove_all(folder, ignored);
            return std::make_unique<session::RunStore>(m_request.session);
        }
        if (parts && m_request.interrupted == Interrupted::Refuse) {
            throw Error(ErrorCode::Usage,
                        fmt::format("{} holds an unfinished run. Go on with --resume, or drop it "
                                    "with --restart to begin again.",
                                    store->partsFolder().string()));
        }
        if (parts && store->existingHead()) {
            takeOver(*store->existingHead());
        }
        return store;
    }

    /// A resumed run also finishes what the interrupted one had planned.
    void takeOver(const session::Head& head) {
        for (const session::ExperimentRecord& record : head.experiments) {
            const auto asked =
                std::find_if(m_request.experiments.begin(), m_request.experiments.end(),
                             [&](const ExperimentRequest& request) {
                                 const auto* info = experiments::findExperiment(request.id);
                                 return info != nullptr && info->id == record.id;
                             });
            std::vector<int> layers;
            for (const LayerId layer : record.layers) {
                layers.push_back(layer.value);
            }
            if (asked == m_request.experiments.end()) {
                if (experiments::findExperiment(record.id) != nullptr) {
                    m_request.experiments.push_back({record.id, record.optionsJson, layers});
                }
            } else if (!asked->layers.empty() && asked->optionsJson == record.optionsJson) {
                asked->layers.insert(asked->layers.end(), layers.begin(), layers.end());
            }
        }
    }

    /// Results of experiments that answer the questions hold for these.
    void askChoices() {
        for (ExperimentRequest& asked : m_request.experiments) {
            const auto* info = experiments::findExperiment(asked.id);
            if (info != nullptr && !m_request.choices.empty() &&
                experiments::answersChoices(info->id)) {
                asked.optionsJson = experiments::withChoices(
                    info->id, asked.optionsJson.empty() ? "{}" : asked.optionsJson,
                    m_request.choices.digest());
            }
        }
    }

    /// Sets of experts to remove, say, come to those that the session has.
    void joinOptions(const session::Head& existing) {
        for (ExperimentRequest& asked : m_request.experiments) {
            const auto* info = experiments::findExperiment(asked.id);
            for (const session::ExperimentRecord& record : existing.experiments) {
                const bool isDone = record.state == session::ExperimentState::Done;
                const bool isKept = isDone || m_request.interrupted == Interrupted::Resume;
                if (info != nullptr && record.id == info->id && record.version == info->version &&
                    isKept) {
                    asked.optionsJson = experiments::joinedOptions(info->id, record.optionsJson,
                                                                   asked.optionsJson, !isDone);
                }
            }
        }
    }

    /// A session keeps its text and questions: experiments can be added to it without giving them
    /// again.
    void open(const session::Head* existing) {
        m_corpus = m_request.corpus;
        if (existing != nullptr) {
            m_corpus = m_corpus.ids.empty() ? existing->corpus : m_corpus;
            m_request.choices = m_request.choices.empty() ? existing->choices : m_request.choices;
        }
        askChoices();
        if (existing != nullptr) {
            joinOptions(*existing);
            m_taken = takeSettings(*existing, m_request);
        }
        const bool withText = !m_corpus.ids.empty();
        m_experiments = planExperiments(m_request.experiments, withText, m_factory);
        m_models = openModels(m_request, withText);
        requireRoutedLayers();
        checkLayers(m_models.model->spec, m_experiments);
        checkProbes();
        m_plan.devices = chooseDevices(m_request.device);
        m_plan.place.device = m_plan.devices.front();
        m_plan.streamed =
            !m_plan.place.device.is_cpu() || m_request.weights == WeightReads::Streamed;
        m_plan.place.dtype = chooseDtype(wantedDtype(), storedDtype(), m_plan.place.device);
        m_briefWaits.emplace(setThreadsFor(m_models.model->spec, m_request.threads));
    }

    /// A tiny model gains no speed from bfloat16 and would only lose digits.
    [[nodiscard]] std::string wantedDtype() const {
        const bool tiny = usefulThreads(m_models.model->spec) == 1;
        return m_request.dtype == "auto" && tiny ? "float32" : m_request.dtype;
    }

    void requireRoutedLayers() const {
        const model::ModelSpec& spec = m_models.model->spec;
        const bool routed = std::any_of(spec.layers.begin(), spec.layers.end(),
                                        [](const auto& layer) { return layer.isRouted(); });
        const bool needed =
            std::any_of(m_experiments.begin(), m_experiments.end(),
                        [](const auto& experiment) { return experiment.perLayer(); });
        if (needed && !routed) {
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{} ({}) is a dense model without experts; it can serve as "
                                    "--baseline",
                                    m_models.model->checkpoint.displayName(), spec.familyTitle));
        }
    }

    /// What an experiment cannot do is said now, not after hours.
    void checkProbes() const {
        const auto baselines = m_models.baselineSpecs();
        for (const model::LayerSpec& layer : m_models.model->spec.layers) {
            if (!layer.isRouted()) {
                continue;
            }
            const auto index = static_cast<int>(&layer - m_models.model->spec.layers.data());
            const LayerContext context = contextOf(m_models, baselines, index, m_corpus);
            for (const PlannedExperiment& experiment : m_experiments) {
                if (!experiment.covers(index)) {
                    continue;
                }
                for (const Probe* probe : experiment.all()) {
                    probe->check(context);
                }
            }
        }
    }

    /// How the experts (of the first routed layer) are stored. Packed weights are those of models
    /// that compute in bfloat16.
    [[nodiscard]] checkpoint::Dtype storedDtype() const {
        for (const model::LayerSpec& layer : m_models.model->spec.layers) {
            if (layer.isRouted()) {
                const model::TensorRef& gate = layer.names.experts.front().gate;
                return gate.packing == checkpoint::Packing::None
                           ? m_models.model->checkpoint.require(gate.name).dtype
                           : checkpoint::Dtype::BF16;
            }
        }
        return checkpoint::Dtype::F32;
    }

    void plan(const IsDone& isDone, int resumeAt) {
        m_plan.work = planWork(m_models.model->spec, m_experiments, isDone);
        m_plan.firstForward = resumeAt;
        m_plan.endForward = resumeAt;
        m_plan.baselinesRun = false;
        for (const LayerWork& work : m_plan.work) {
            if (!work.dynamic.empty()) {
                m_plan.endForward = work.layer + 1;
                const DynamicNeeds needs = dynamicNeeds(work);
                m_plan.baselinesRun =
                    m_plan.baselinesRun || (needs.allColumns() && !m_models.baselines.empty());
            }
        }
        m_plan.branching.clear();
        for (PlannedExperiment& experiment : m_experiments) {
            const session::PartKey key{BranchId{0}, std::string(experiment.info->id), std::nullopt};
            if (!experiment.probes.branches.empty() && !isDone(key)) {
                m_plan.branching.push_back(&experiment);
                lookForBranches(experiment);
            }
        }
        if (!m_calibration) {
            m_calibration = calibrate(m_plan.place, productShape(), m_models.model->checkpoint);
        }
        costRun(m_plan, m_models, m_corpus, m_request, *m_calibration);
        if (!m_taken.empty()) {
            m_plan.estimate.notes.push_back(
                fmt::format("as the session was made: {}", fmt::join(m_taken, " ")));
        }
        if (m_plan.endForward > m_plan.firstForward && asksStaticOnly()) {
            m_plan.estimate.notes.emplace_back(
                "these experiments need no text, but which experts the tokens choose is always "
                "kept: the text passes the model once, through the chosen experts alone");
        }
    }

    /// Which branches of an experiment are in the session, so that they need not be passed.
    void lookForBranches(PlannedExperiment& experiment) const {
        experiment.recalled.clear();
        for (const auto& probe : experiment.probes.branches) {
            std::set<std::size_t>& places = experiment.recalled.emplace_back();
            recallBranches(m_request.session, m_models.model->spec, experiment, *probe,
                           [&](std::size_t branch, const auto&) { places.insert(branch); });
        }
    }

    /// An expert's product, where there are experts.
    [[nodiscard]] ProductShape productShape() const {
        const model::ModelSpec& spec = m_models.model->spec;
        ProductShape shape{.in = spec.hiddenSize};
        for (const model::LayerSpec& layer : spec.layers) {
            shape.out =
                layer.moe ? layer.moe->expert.intermediateSize : layer.dense->intermediateSize;
            if (layer.moe) {
                break;
            }
        }
        return shape;
    }

    [[nodiscard]] bool asksStaticOnly() const {
        return !m_request.experiments.empty() &&
               std::all_of(m_request.experiments.begin(), m_request.experiments.end(),
                           [](const ExperimentRequest& request) {
                               const auto* info = experiments::findExperiment(request.id);
                               return info->kind == experiments::ExperimentKind::Static;
                           });
    }

    /// What the run would take from its beginning.
    double wholeSeconds() {
        try {
            plan([](const session::PartKey&) { return false; }, 0);
            return m_plan.estimate.seconds;
        } catch (const Error&) {
            return 0.0;  // more memory than there is for what remains
        }
    }

    /// Plans what the store does not have, from the latest kept residual stream that no unfinished
    /// layer lies before.
    void planResumed(const session::RunStore& store, const ResidualCheckpoint& residual) {
        const IsDone isDone = [&](const session::PartKey& key) { return store.hasPart(key); };
        if (m_request.interrupted == Interrupted::Resume && store.existingHead()) {
            const double whole = wholeSeconds();
            plan(isDone, 0);
            m_plan.doneSeconds = std::max(0.0, whole - m_plan.estimate.seconds);
        } else {
            plan(isDone, 0);
        }
        m_partsKept = countKept(isDone);
        const auto first = std::find_if(m_plan.work.begin(), m_plan.work.end(),
                                        [](const auto& work) { return !work.dynamic.empty(); });
        if (first == m_plan.work.end()) {
            return;
        }
        for (const int layer : residual.layers()) {
            if (layer <= first->layer && canLoad(residual, layer)) {
                plan(isDone, layer);
                return;
            }
        }
    }

    [[nodiscard]] bool canLoad(const ResidualCheckpoint& residual, int layer) const {
        std::vector<int> sizes{m_models.model->spec.hiddenSize};
        if (m_plan.baselinesRun) {
            for (const auto& baseline : m_models.baselines) {
                sizes.push_back(baseline->spec.hiddenSize);
            }
        }
        std::uint64_t bytes = 0;
        for (const int size : sizes) {
            bytes += m_corpus.ids.size() * static_cast<std::uint64_t>(size) *
                     (m_plan.place.dtype == at::kFloat ? 4U : 2U);
        }
        return residual.holds(layer, sizes.size(), bytes);
    }

    [[nodiscard]] std::uint64_t countKept(const IsDone& isDone) const {
        std::uint64_t kept = 0;
        for (const PlannedExperiment& experiment : m_experiments) {
            const std::string id(experiment.info->id);
            for (const LayerWork& work : m_plan.work) {
                kept += isDone({BranchId{0}, id, LayerId{work.layer}}) ? 1U : 0U;
            }
            kept += isDone({BranchId{0}, id, std::nullopt}) ? 1U : 0U;
        }
        return kept;
    }

    void announce(Events& events) const {
        RunEvent event;
        event.kind = RunEvent::Kind::Estimate;
        event.memoryBytes = m_plan.estimate.memoryBytes;
        event.diskBytes = m_plan.estimate.diskBytes;
        event.readBytes = m_plan.estimate.readBytes;
        event.seconds = m_plan.estimate.seconds;
        events.send(event);
        event = {};
        event.kind = RunEvent::Kind::Started;
        event.path = m_request.session.string();
        events.send(event);
    }

    void writeModelParts(const session::RunStore& store, PartWriter& writer);

    /// What runs the model again, after all that needs it once.
    void runBranches(const session::RunStore& store, const std::stop_token& stop, Runner& runner,
                     PartWriter& writer) {
        m_branches.emplace(BranchPhase::Setup{m_request, m_models, m_plan, m_corpus,
                                              store.partsFolder(), runner.limits()},
                           runner.progress(), writer, stop);
        m_branches->run();
        if (!m_plan.branching.empty()) {
            runner.progress().finish();
        }
    }

    RunReport report(const session::Head& head, const Runner& runner, const PartWriter& writer,
                     std::chrono::steady_clock::time_point start, Events& events) const {
        RunReport result;
        result.session = m_request.session;
        result.partsWritten = writer.written();
        result.partsKept = m_partsKept;
        result.bytesRead = runner.bytesRead() + (m_branches ? m_branches->bytesRead() : 0);
        result.peakMemoryBytes = std::max(
            {runner.peakMemory(), m_branches ? m_branches->peakMemory() : 0, residentMemory()});
        result.warnings = head.warnings;
        result.warnings.insert(result.warnings.end(), runner.warnings().begin(),
                               runner.warnings().end());
        result.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        RunEvent event;
        event.kind = RunEvent::Kind::Finished;
        event.path = m_request.session.string();
        event.readBytes = result.bytesRead;
        event.seconds = result.seconds;
        events.send(event);
        return result;
    }

    void lookForExisting() {
        std::error_code ignored;
        const bool begins = m_request.interrupted == Interrupted::Discard &&
                            !std::filesystem::exists(m_request.session, ignored);
        if (m_request.session.empty() || begins) {
            return;
        }
        try {
            m_existing = session::Session::open(m_request.session);
            if (m_existing->isPartial() && m_existing->quantities().empty()) {
                m_existing.reset();  // killed before anything was finished: as if it were not there
                return;
            }
        } catch (const Error& error) {
            if (error.code() != ErrorCode::FileNotFound) {
                throw;
            }
            // nothing there yet
        }
    }

    [[nodiscard]] bool isDoneForEstimate(const session::PartKey& key) const {
        if (!m_existing) {
            return false;
        }
        const auto planned = std::find_if(
            m_experiments.begin(), m_experiments.end(),
            [&](const auto& experiment) { return experiment.info->id == key.experiment; });
        for (const session::ExperimentRecord& record : m_existing->head().experiments) {
            if (record.id != key.experiment) {
                continue;
            }
            if (planned != m_experiments.end() && (record.version != planned->info->version ||
                                                   record.optionsJson != planned->optionsJson)) {
                return false;
            }
            if (!key.layer) {
                return record.state == session::ExperimentState::Done;
            }
            return std::find(record.layersDone.begin(), record.layersDone.end(), *key.layer) !=
                   record.layersDone.end();
        }
        return false;
    }

    RunRequest m_request;
    const ProbeFactory& m_factory;
    text::TokenizedCorpus m_corpus;
    OpenedModels m_models;
    std::vector<PlannedExperiment> m_experiments;
    RunPlan m_plan;
    std::optional<BriefWaits> m_briefWaits;
    std::optional<Calibration> m_calibration;
    std::uint64_t m_partsKept = 0;
    std::optional<BranchPhase> m_branches;
    std::shared_ptr<const session::Session> m_existing;
    std::vector<std::string> m_taken;  ///< settings of the session, where none were given
    bool m_replaces = false;           ///< a run of which nothing was finished
};

/// Finished layers of one experiment, read back from the parts.
class StoredParts final : public PartSource {
public:
    StoredParts(const session::Session& session, std::string experiment)
        : m_session(session), m_experiment(std::move(experiment)) {}

    [[nodiscard]] NdArray read(LayerId layer, std::string_view quantity) const override {
        return m_session.read({BranchId{0}, m_experiment, std::string(quantity)}, layer);
    }
    [[nodiscard]] std::vector<LayerId> layers() const override {
        for (const session::ExperimentRecord& record : m_session.head().experiments) {
            if (record.id == m_experiment) {
                return record.layersDone;
            }
        }
        return {};
    }

private:
    const session::Session& m_session;
    std::string m_experiment;
};

void RunJob::writeModelParts(const session::RunStore& store, PartWriter& writer) {
    std::shared_ptr<const session::Session> stored;
    for (const PlannedExperiment& experiment : m_experiments) {
        const std::string id(experiment.info->id);
        const session::PartKey key{BranchId{0}, id, std::nullopt};
        const bool done = store.hasPart(key) && !store.modelPartIsStale(key.branch, id);
        session::Part joined;
        bool any = false;
        for (Probe* probe : experiment.all()) {
            if (done || !probe->hasModelPart()) {
                continue;
            }
            if (!stored) {
                stored = session::Session::open(store.partsFolder());
            }
            auto part = probe->finishModel(
                {m_models.model->spec, m_models.model->checkpoint, m_corpus, &m_request.choices},
                StoredParts(*stored, id));
            if (!part) {
                continue;
            }
            any = true;
            joined.tokens = std::max(joined.tokens, part->tokens);
            std::move(part->quantities.begin(), part->quantities.end(),
                      std::back_inserter(joined.quantities));
            std::move(part->warnings.begin(), part->warnings.end(),
                      std::back_inserter(joined.warnings));
        }
        if (any) {
            joined.key = key;
            // One at a time: hasPart() above must not meet the lane at work.
            writer.add(std::move(joined));
            writer.drain();
        }
    }
}

/// LibTorch's and the allocator's exceptions become ours; nothing else leaves the engine.
template <typename Work>
auto translated(Work work) {
    try {
        const NoAutograd noAutograd;
        return work();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::OutOfMemory,
                    "The machine ran out of memory. Give a smaller --memory budget, or less text.");
    } catch (const c10::Error& error) {
        if (isOutOfMemory(error)) {
            throw deviceFull(error, ReliefTried::No);
        }
        const std::string message = error.what_without_backtrace();
        const auto has = [&](const char* words) {
            return message.find(words) != std::string::npos;
        };
        if (isOutOfMainMemory(error)) {
            throw Error(ErrorCode::OutOfMemory,
                        fmt::format("Memory ran out ({}). Give a smaller --memory budget, or less "
                                    "text.",
                                    message.substr(0, message.find('\n'))));
        }
        const bool device = has("CUDA") || has("cuda") || has("CUBLAS");
        throw Error(device ? ErrorCode::Device : ErrorCode::Internal,
                    fmt::format("LibTorch failed: {}", message.substr(0, message.find('\n'))));
    } catch (const std::exception& error) {
        throw Error(ErrorCode::Internal, fmt::format("The run failed: {}", error.what()));
    }
}

}  // namespace

Estimate estimate(const RunRequest& request, const ProbeFactory& factory) {
    return translated([&] { return RunJob(request, factory).estimateOnly(); });
}

RunReport run(const RunRequest& request, const ProbeFactory& factory, RunObserver& observer,
              std::stop_token stop) {
    const auto tell = [&](const Error& error) {
        RunEvent event;
        const bool cancelled = error.code() == ErrorCode::Cancelled;
        event.kind = cancelled ? RunEvent::Kind::Cancelled : RunEvent::Kind::Failed;
        event.message = error.what();
        event.errorCode = name(error.code());
        observer.onEvent(event);
    };
    try {
        return translated([&] { return RunJob(request, factory).run(observer, stop); });
    } catch (const Error& error) {
        tell(error);
        throw;
    }
}

}  // namespace moescope::engine
