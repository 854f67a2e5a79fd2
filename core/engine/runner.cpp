// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/runner.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/engine/columns.h"
#include "core/engine/expert_steps.h"
#include "core/engine/static_phase.h"
#include "core/engine/stored_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::engine {
namespace {

/// Of one layer: every part of it carries them.
constexpr std::size_t kMostWarnings = 32;

void mergeInto(session::Part& target, session::Part&& from) {
    target.tokens = std::max(target.tokens, from.tokens);
    std::move(from.quantities.begin(), from.quantities.end(),
              std::back_inserter(target.quantities));
    std::move(from.warnings.begin(), from.warnings.end(), std::back_inserter(target.warnings));
}

}  // namespace

Runner::Runner(const Setup& setup, PartWriter& writer, Events& events, std::stop_token stop)
    : m_setup(setup),
      m_writer(writer),
      m_events(events),
      m_watch(std::move(stop)),
      m_progress(setup.plan, layersToVisit(), events),
      m_keeper(setup.request.scratch, setup.request.keepEvery,
               [this](const std::string& warning) { warn(warning); }) {
    const MemoryPlan& memory = setup.plan.memory;
    std::vector<const OpenedModel*> models{setup.models.model.get()};
    for (const auto& baseline : setup.models.baselines) {
        models.push_back(baseline.get());
    }
    for (const at::Device device : setup.plan.devices) {
        const ComputePlace place{device, setup.plan.place.dtype};
        const Replica* const first = m_replicas.empty() ? nullptr : m_replicas.front().get();
        m_replicas.push_back(std::make_unique<Replica>(models, place, memory, first));
    }
    m_baselineSpecs = setup.models.baselineSpecs();
    if (memory.bufferBytes > 0) {
        m_buffers = std::make_shared<WeightBuffers>(memory.bufferBytes);
        for (const auto& run : runs()) {
            run->useBuffers(m_buffers, directReads(setup.request.weights), memory.holdExperts);
        }
    }
    m_limits = {std::max<std::uint64_t>(memory.blockTokens, 1),
                {std::max<std::uint64_t>(memory.queryRows, 1), memory.scoreBytes},
                memory.lanes};
}

Runner::~Runner() {
    if (m_buffers) {
        m_buffers->close();  // the lane may wait for room that nobody will make
    }
}

std::uint64_t Runner::bytesRead() const {
    // What several devices read, the disk gives once, and counts once.
    std::uint64_t bytes = 0;
    for (const auto& run : runs()) {
        bytes += run->reader().bytesRead();
    }
    return bytes;
}

bool Runner::isForward(int layer) const {
    return layer >= m_setup.plan.firstForward && layer < m_setup.plan.endForward;
}

LayerParts Runner::partsOf(int layer) const {
    // What the experiments on weights decode from the mapping is not read a second time past it.
    const bool onWeights = m_setup.plan.work[static_cast<std::size_t>(layer)].onWeights();
    return layerParts(m_setup.plan.memory, m_buffers && !onWeights);
}

std::vector<int> Runner::layersToVisit() const {
    std::vector<int> layers;
    for (const LayerWork& work : m_setup.plan.work) {
        if (isForward(work.layer) || work.onWeights()) {
            layers.push_back(work.layer);
        }
    }
    return layers;
}

void Runner::startStreams() {
    const RunPlan& plan = m_setup.plan;
    if (plan.endForward <= plan.firstForward) {
        return;
    }
    std::vector<int> sizes{m_setup.models.model->spec.hiddenSize};
    if (plan.baselinesRun) {
        for (const model::ModelSpec* spec : m_baselineSpecs) {
            sizes.push_back(spec->hiddenSize);
        }
    }
    const auto folder =
        plan.memory.residualInMemory ? std::filesystem::path() : m_setup.scratchFolder;
    m_stretches = splitText(m_setup.corpus.offsets, plan.devices.size(), m_limits.blockTokens);
    m_streams = std::make_unique<ResidualStreams>(
        ResidualStreams::Setup{sizes, plan.devices, m_stretches, plan.place.dtype}, folder);
    const bool resumed = plan.firstForward > 0;
    if (resumed && !m_streams->load(m_setup.residualCheckpoint, plan.firstForward)) {
        throw Error(ErrorCode::Internal, "the kept residual stream changed while it was read");
    }
    for (std::size_t part = 0; part < m_replicas.size(); ++part) {
        DeviceModels& models = m_devices.emplace_back();
        for (std::size_t model = 0; model < sizes.size(); ++model) {
            const ModelStream stream{m_replicas[part]->runs()[model].get(),
                                     m_streams->at(model, part)};
            (model == 0 ? models.model : models.baselines.emplace_back()) = stream;
        }
    }
    for (const Stretch& stretch : m_stretches) {
        for (std::size_t model = 0; !resumed && model < sizes.size(); ++model) {
            at::Tensor rows = m_streams->at(model, stretch.part)
                                  .narrow(0, static_cast<std::int64_t>(stretch.firstRow),
                                          static_cast<std::int64_t>(stretch.tokens));
            m_replicas[stretch.part]->runs()[model]->embed(
                std::span(m_setup.corpus.ids).subspan(stretch.firstToken, stretch.tokens), rows);
        }
    }
}

Relief Runner::relief() const {
    if (!m_setup.plan.memory.streamed()) {
        return {};
    }
    return [this] {
        bool made = false;
        for (const auto& replica : m_replicas) {
            made = replica->relief()() || made;
        }
        return made;
    };
}

void Runner::forPassing(const std::function<void(ModelRun&)>& visit) {
    for (const DeviceModels& models : m_devices) {
        visit(*models.model.model);
        for (const ModelStream& baseline : models.baselines) {
            visit(*baseline.model);
        }
    }
}

void Runner::run() {
    const std::vector<int> layers = layersToVisit();
    startStreams();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const bool last = i + 1 == layers.size();
        visit(layers[i], last ? std::nullopt : std::optional(layers[i + 1]));
    }
    m_outputs = {};
    if (m_buffers) {  // what comes after the layers reads for itself
        for (const auto& run : runs()) {
            run->useBuffers(nullptr, {}, true);
        }
        m_buffers.reset();
    }
    m_devices.clear();
    m_streams.reset();
    for (const auto& replica : m_replicas) {
        replica->stopStreaming();
    }
    m_writer.drain();
    if (m_setup.plan.branching.empty()) {
        m_progress.finish();
    }
}

/// How often poll() will be called.
void Runner::expectSteps(int layer, const LayerContext* context) {
    const auto& spec = m_setup.models.model->spec.layers[static_cast<std::size_t>(layer)];
    const LayerWork& work = m_setup.plan.work[static_cast<std::size_t>(layer)];
    if (!work.statics.empty()) {
        const double slab =
            static_cast<double>(std::max<std::uint64_t>(m_setup.plan.memory.slabNeurons, 1));
        m_progress.expect(RunProgress::Phase::Statics,
                          isStored(*context, work)
                              ? static_cast<double>(StoredWeights::steps(*context))
                              : 3.0 * std::ceil(spec.moe->expert.intermediateSize / slab));
    }
    double units = 0.0;
    for (const PlannedExperiment* experiment : work.units) {
        for (const auto& probe : experiment->probes.units) {
            units += static_cast<double>(probe->units(*context).size());
        }
    }
    m_progress.expect(RunProgress::Phase::Units, units);
    if (isForward(layer)) {
        const auto tokens = static_cast<double>(m_setup.corpus.ids.size());
        const double models = 1.0 + static_cast<double>(m_devices.front().baselines.size());
        const double lanes = m_limits.lanes;  // in which nobody is told; on devices all are
        m_progress.expect(
            RunProgress::Phase::Attention,
            models *
                std::ceil(tokens / (lanes * static_cast<double>(m_limits.attention.queryRows))));
        const std::uint64_t block =
            std::min<std::uint64_t>(m_setup.corpus.ids.size(), m_limits.blockTokens);
        const double experts =
            spec.isRouted() && lanes == 1.0
                ? expertSteps(*spec.moe, dynamicNeeds(work), block, m_setup.plan.memory).polls
                : 0.0;
        const double blocks =
            std::ceil(tokens / (lanes * static_cast<double>(m_limits.blockTokens)));
        m_progress.expect(RunProgress::Phase::FeedForward,
                          blocks * (1.0 / static_cast<double>(m_devices.size()) + experts));
    }
}

void Runner::visit(int layer, std::optional<int> next) {
    const LayerWork& work = m_setup.plan.work[static_cast<std::size_t>(layer)];
    std::optional<LayerContext> context;
    if (m_setup.models.model->spec.layers[static_cast<std::size_t>(layer)].isRouted()) {
        context.emplace(contextOf(m_setup.models, m_baselineSpecs, layer, m_setup.corpus));
    }
    m_progress.beginLayer(layer);
    poll();
    expectSteps(layer, context ? &*context : nullptr);
    for (const auto& run : runs()) {
        run->reader().checkpoint().requireWhole();
    }
    if (isForward(layer)) {
        const LayerParts parts = partsOf(layer);
        if (parts.direct && !m_replicas.front()->model().isReading(layer)) {
            readAhead(layer);
        }
        forPassing([&](ModelRun& run) { run.beginLayer(layer, parts); });
    }
    if (next) {
        readAhead(*next);
    }
    if (!work.statics.empty()) {
        staticPhase(*context, work);
    }
    if (!work.units.empty()) {
        unitPhase(*context, work);
    }
    if (isForward(layer)) {
        tokensPhase(context ? &*context : nullptr, work);
    }
    noteWarnings(layer);
    finishLayer(layer);
    for (const auto& replica : m_replicas) {
        for (const auto& run : replica->runs()) {
            run->endLayer(layer);
        }
    }
    if (next && isForward(layer) && isForward(*next)) {
        keepResidual(*next);
    }
    m_progress.endLayer();
}

void Runner::readAhead(int next) {
    const MemoryPlan& memory = m_setup.plan.memory;
    // To a device all but the experts goes ahead in any case.
    const bool decode = isForward(next) && (memory.decodeAhead || memory.streamed());
    const auto parts = decode ? std::optional(partsOf(next)) : std::nullopt;
    for (const auto& replica : m_replicas) {
        const auto& runs = replica->runs();
        const bool passes = !m_devices.empty() && !m_devices.front().baselines.empty();
        // The experts come last: the lane waits with them until there is room.
        for (std::size_t b = 1; b < runs.size(); ++b) {
            // A baseline that is not run lends its weights to the static probes alone.
            runs[b]->readAhead(next, passes ? parts : std::nullopt, replica->lane());
        }
        runs.front()->readAhead(next, parts, replica->lane());
    }
}

void Runner::add(const PlannedExperiment& experiment, session::Part part) {
    const auto found = std::find_if(m_parts.begin(), m_parts.end(), [&](const auto& other) {
        return other.key.experiment == experiment.info->id;
    });
    if (found != m_parts.end()) {
        mergeInto(*found, std::move(part));
        return;
    }
    part.key.experiment = experiment.info->id;
    m_parts.push_back(std::move(part));
}

/// Whether the static probes' sums are taken where the weights are mapped.
bool Runner::isStored(const LayerContext& context, const LayerWork& work) const {
    return StoredWeights::suit(context, work, m_setup.models, m_setup.plan.place);
}

void Runner::staticPhase(const LayerContext& context, const LayerWork& work) {
    std::vector<std::pair<const PlannedExperiment*, StaticProbe*>> probes;
    std::vector<StaticProbe*> all;
    for (const PlannedExperiment* experiment : work.statics) {
        for (const auto& probe : experiment->probes.statics) {
            probes.emplace_back(experiment, probe.get());
            all.push_back(probe.get());
        }
    }
    const at::Device device = m_setup.plan.place.device;
    StaticPhase phase({.layer = context,
                       .probes = std::move(all),
                       .columns = columnWeights(context),
                       .device = device,
                       .means = summingMeans(device),
                       .slabNeurons = m_setup.plan.memory.slabNeurons,
                       .relieve = relief(),
                       .poll = [this] { poll(); }});
    if (isStored(context, work)) {
        phase.runStored();
    } else {
        phase.run();
    }
    if (const std::string warning = phase.warning(); !warning.empty()) {
        warnOfLayer(warning);
    }
    for (const auto& [experiment, probe] : probes) {
        add(*experiment, probe->end(phase.sums()));
    }
}

/// Where the matrices of a layer's columns lie.
std::vector<ColumnWeights> Runner::columnWeights(const LayerContext& context) {
    WeightReader& reader = runs().front()->reader();
    const auto layer = static_cast<std::size_t>(context.layer.value);
    const model::LayerNames& names = context.model.layers[layer].names;
    std::vector<ColumnWeights> columns;
    std::size_t baseline = 0;
    for (std::size_t c = 0; c < context.columns.size(); ++c) {
        switch (context.columns[c].kind) {
            case Column::Kind::Routed:
                columns.push_back({&reader, &names.experts[c]});
                break;
            case Column::Kind::Baseline: {
                ModelRun& run = *runs()[++baseline];
                columns.push_back({&run.reader(), &run.spec().layers[layer].names.dense});
                break;
            }
            case Column::Kind::Shared:
                columns.push_back({&reader, &names.shared});
                break;
        }
    }
    return columns;
}

/// Results hold for these weights, this definition and these options.
UnitJournal& Runner::journalOf(const PlannedExperiment& experiment) {
    const std::string id(experiment.info->id);
    const auto found = m_journals.find(id);
    if (found != m_journals.end()) {
        return found->second;
    }
    Sha256 hash;
    for (const auto& run : runs()) {
        hash.update(run->reader().checkpoint().identity());
    }
    hash.update(fmt::format("{} {} {}", id, experiment.info->version, experiment.optionsJson));
    const auto file = m_setup.scratchFolder / fmt::format("units-{}.bin", id);
    return m_journals.try_emplace(id, file, hash.hexDigest()).first->second;
}

std::vector<std::shared_ptr<const NeuronSource>> Runner::neuronSources(
    const LayerContext& context) {
    const at::Device device = m_setup.plan.place.device;
    std::vector<std::shared_ptr<const NeuronSource>> sources;
    const auto add = [&](at::Device where, std::uint64_t tileBytes) {
        sources.push_back(std::make_shared<LayerNeurons>(columnWeights(context), context.hiddenSize,
                                                         where, tileBytes));
    };
    add(device, NeuronSource::kTileBytes);
    if (m_setup.plan.memory.streamed() || !device.is_cpu()) {
        add(device, NeuronSource::kTileBytes / 4);
        add(device, NeuronSource::kTileBytes / 16);
        add(at::kCPU, NeuronSource::kTileBytes);
    }
    return sources;
}

void Runner::unitPhase(const LayerContext& context, const LayerWork& work) {
    const auto sources = neuronSources(context);
    for (const PlannedExperiment* experiment : work.units) {
        for (const auto& probe : experiment->probes.units) {
            UnitPhase phase({.layer = context,
                             .probe = *probe,
                             .sources = sources,
                             .relieve = relief(),
                             .journal = journalOf(*experiment),
                             .atOnce = m_setup.plan.memory.unitsAtOnce,
                             .poll = [this] { m_watch.look(); },
                             .done = [this] { m_progress.step(); }});
            for (std::size_t kept = phase.units() - phase.remaining(); kept > 0; --kept) {
                m_progress.step();
            }
            add(*experiment, phase.run());
            if (phase.withLast() > 0) {
                warnOfLayer(fmt::format(
                    "layer {}: {} of {} pieces of \"{}\" were computed on the CPU, since the "
                    "memory of {} ran out",
                    context.layer.value, phase.withLast(), phase.units(), experiment->info->id,
                    describe(m_setup.plan.place.device)));
            }
        }
    }
}

void Runner::tokensPhase(const LayerContext* context, const LayerWork& work) {
    std::vector<std::pair<const PlannedExperiment*, DynamicProbe*>> probes;
    for (const PlannedExperiment* experiment : work.dynamic) {
        for (const auto& probe : experiment->probes.dynamic) {
            probe->begin(*context);
            probes.emplace_back(experiment, probe.get());
        }
    }
    LayerPass pass({.devices = m_devices,
                    .stretches = m_stretches,
                    .offsets = m_setup.corpus.offsets,
                    .limits = m_limits,
                    .poll = [this] { poll(); },
                    .kept = m_setup.plan.memory.keepOutputs ? &m_outputs : nullptr});
    LayerPass::Consumer consumer;
    consumer.block = [&](const TokenBlock& block, const Relief& room) {
        for (const auto& entry : probes) {
            withRelief(room, [&] { entry.second->consume(block); });
        }
    };
    consumer.activations = [&](const ActivationBlock& block, const Relief& room) {
        for (const auto& entry : probes) {
            if (entry.second->needs().activations) {
                withRelief(room, [&] { entry.second->consumeActivations(block); });
            }
        }
    };
    pass.run(context, dynamicNeeds(work), nullptr, consumer);
    forPassing([](ModelRun& run) { run.finishReading(); });
    for (const auto& [experiment, probe] : probes) {
        add(*experiment, probe->end());
    }
}

void Runner::warn(const std::string& warning) {
    m_events.warn(warning);
    m_warnings.push_back(warning);
}

void Runner::warnOfLayer(const std::string& warning) {
    warn(warning);
    m_layerWarnings.push_back(warning);
}

void Runner::noteWarnings(int layer) {
    std::vector<std::string> ofWeights;
    for (const auto& run : runs()) {
        for (std::string& warning : run->warnings(layer)) {
            ofWeights.push_back(std::move(warning));
        }
    }
    if (ofWeights.size() > kMostWarnings) {
        const std::size_t more = ofWeights.size() - kMostWarnings;
        ofWeights.resize(kMostWarnings);
        ofWeights.push_back(
            fmt::format("layer {} has {} more warnings about its weights", layer, more));
    }
    std::for_each(ofWeights.begin(), ofWeights.end(),
                  [this](const std::string& warning) { warnOfLayer(warning); });
    if (isForward(layer) && m_residualIsFinite &&
        !withRelief(relief(), [&] { return m_streams->isFinite(); })) {
        m_residualIsFinite = false;
        warnOfLayer(
            fmt::format("the residual stream leaves layer {} with values that are not finite; "
                        "later layers show NaN",
                        layer));
    }
}

void Runner::finishLayer(int layer) {
    m_writer.drain();  // never more than one layer's results wait: the memory plan counts on it
    for (session::Part& part : m_parts) {
        part.key.branch = BranchId{0};
        part.key.layer = LayerId{layer};
        part.key.shard = 0;
        part.warnings.insert(part.warnings.end(), m_layerWarnings.begin(), m_layerWarnings.end());
        m_writer.add(std::move(part));
    }
    m_parts.clear();
    m_layerWarnings.clear();
}

void Runner::keepResidual(int nextLayer) {
    if (!m_keeper.isDue()) {
        return;
    }
    // A kept stream says that all parts before it are on the disk.
    m_writer.drain();
    m_keeper.keep([&] { m_streams->save(m_setup.residualCheckpoint, nextLayer); });
}

void Runner::poll() {
    m_watch.look();
    m_progress.step();
}

}  // namespace moescope::engine
