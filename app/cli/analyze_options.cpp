// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/analyze_options.h"

#include "app/cli/experiment_list.h"
#include "app/cli/values.h"
#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/pruning_curves.h"
#include "core/experiments/removed_experts.h"
#include "core/session/session.h"
#include "core/text/token_selection.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

namespace moescope::cli {
namespace {

using text::TextSource;

constexpr const char* kFooter =
    "Examples:\n"
    "  moescope analyze Mixtral-8x7B-v0.1 --prompt \"As an open source alternative to\" -o run.h5\n"
    "  moescope analyze Mixtral-8x7B-v0.1 --preset long --baseline Mistral-7B-v0.1 -o run.h5\n"
    "  moescope analyze MODEL --csv wikitext103_test.csv --no-header --column 0 --split-lines \\\n"
    "      --skip-prefix = --max-documents 10 -o run.h5\n"
    "  moescope analyze MODEL --jsonl corpus.jsonl --column text --domain-column domain \\\n"
    "      --max-tokens 20000 --context 512 --memory 8G -o run.h5\n"
    "  moescope analyze MODEL --experiments static -o run.h5         (no text needed)\n"
    "  moescope analyze MODEL --text book.txt --dry-run -o run.h5    (what would it cost?)\n"
    "  moescope analyze MODEL --text book.txt --resume -o run.h5     (after an interruption)\n\n"
    "RUN.h5 is also the cache: another analyze with the same model adds the experiments that are\n"
    "missing and computes nothing twice. It keeps its text, which need not be given again.";

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::Usage, message);
}

/// A count that makes sense from `least` on. CLI11 would wrap a negative number around.
std::optional<std::uint64_t> count(const char* option, std::optional<std::int64_t> value,
                                   std::int64_t least) {
    if (value && *value < least) {
        refuse(std::string(option) + " must be " + std::to_string(least) + " or more, not " +
               std::to_string(*value) + ".");
    }
    return value;
}

/// Positive numbers, ascending, each once.
std::vector<double> parseSizes(const char* option, const std::vector<std::string>& lists) {
    std::set<double> sizes;
    for (const std::string& entry : parseList(lists)) {
        double size = 0.0;
        const char* const stop = entry.data() + entry.size();
        const auto [end, error] = std::from_chars(entry.data(), stop, size);
        if (error != std::errc() || end != stop || !(size > 0.0) || !std::isfinite(size)) {
            refuse(std::string(option) + ": \"" + entry +
                   "\" is not a positive number; write a list such as 0.01,0.05,0.2.");
        }
        sizes.insert(size);
    }
    return {sizes.begin(), sizes.end()};
}

std::optional<int> checkedTopK(std::optional<std::int64_t> value) {
    if (count("--top-k", value, 1) > std::uint64_t{std::numeric_limits<std::int16_t>::max()}) {
        refuse("--top-k " + std::to_string(*value) + " is more than any model has experts.");
    }
    return value;
}

template <typename Enum>
Enum oneOf(const char* option, const std::string& word,
           std::initializer_list<std::pair<const char*, Enum>> choices) {
    std::string list;
    for (const auto& [name, value] : choices) {
        if (word == name) {
            return value;
        }
        list += (list.empty() ? "" : ", ") + std::string(name);
    }
    refuse("Unknown value \"" + word + "\" of " + option + ". There are: " + list + ".");
}

/// A session, or the unfinished run beside it, keeps its text and baselines: experiments can be
/// added without giving them again. Throws what is wrong with a session that cannot be opened.
template <typename Holds>
bool brings(const std::filesystem::path& session, const Holds& holds) {
    std::error_code error;
    if (std::filesystem::is_regular_file(session, error) &&
        holds(session::Session::open(session)->head())) {
        return true;
    }
    try {
        return holds(session::Session::open(session.string() + ".partial")->head());
    } catch (const Error&) {
        return false;  // none there, or one that was killed before it had anything to keep
    }
}

bool bringsText(const std::filesystem::path& session) {
    return brings(session, [](const session::Head& head) { return head.corpus.tokenCount() > 0; });
}

/// The experiments of the session there, or of the unfinished run beside it, that this program has.
std::vector<std::string> experimentsOf(const std::filesystem::path& session) {
    std::vector<std::string> ids;
    try {
        const auto opened = session::Session::open(session);
        for (const session::ExperimentRecord& record : opened->head().experiments) {
            if (experiments::findExperiment(record.id) != nullptr) {
                ids.push_back(record.id);
            }
        }
    } catch (const Error& error) {
        if (error.code() != ErrorCode::FileNotFound) {
            throw;
        }
    }
    return ids;
}

}  // namespace

void AnalyzeCommand::attach(CLI::App& program) {
    m_app = program.add_subcommand("analyze", "Run experiments on a checkpoint, write a session");
    m_app
        ->add_option("CHECKPOINT", m_given.checkpoint,
                     "Hugging Face checkpoint folder, or GGUF file")
        ->required();
    m_app->add_option("-o,--output", m_given.session, "Session to write, or to add to")
        ->type_name("RUN.h5");
    attachText(*m_app);
    attachExperiments(*m_app);
    attachWeights(*m_app);
    attachRun(*m_app);
    m_app->footer(experimentListText() + "\n" + kFooter);
}

void AnalyzeCommand::attachText(CLI::App& app) {
    const auto group = [&](CLI::Option* option) {
        return option->group("Text (one of the first five)");
    };
    group(app.add_option("--text", m_given.textFiles,
                         "Text files, each a document; folders, each sub-folder a domain"))
        ->type_name("FILE")
        ->expected(1, -1);
    group(app.add_option("--prompt", m_given.prompt, "This text"))->type_name("STRING");
    group(app.add_option("--preset", m_given.preset, "A shipped prompt: short or long"))
        ->type_name("NAME");
    group(app.add_option("--csv", m_given.csv, "Each record of a CSV file is a document"))
        ->type_name("FILE");
    group(app.add_option("--jsonl", m_given.jsonl, "Each line of a JSONL file is a document"))
        ->type_name("FILE");
    group(app.add_option("--column", m_given.column,
                         "Where the text is in --csv or --jsonl (text); meta.body: within an "
                         "object of a JSONL line"))
        ->type_name("NAME|INDEX");
    group(app.add_flag("--no-header", m_given.noHeader, "The first record of --csv is data"));
    group(app.add_option("--domain-column", m_given.domainColumn,
                         "Where the document's domain is in --csv or --jsonl"))
        ->type_name("NAME");
    group(app.add_flag("--split-lines", m_given.splitLines,
                       "Each line that is not blank is a document"));
    group(app.add_option("--skip-prefix", m_given.skipPrefix, "Leave out documents that begin so"))
        ->type_name("TEXT");
    group(app.add_option("--max-documents", m_given.maxDocuments, "Only the first N documents"))
        ->type_name("N");
    group(app.add_option("--max-tokens", m_given.maxTokens, "Only the first N tokens in all"))
        ->type_name("N");
    group(app.add_option("--context", m_given.context,
                         "Cut documents to N tokens; the rest of each is left out"))
        ->type_name("N");
    group(app.add_flag("--chat", m_given.chat, "Put documents through the model's chat template"));
}

void AnalyzeCommand::attachExperiments(CLI::App& app) {
    const auto group = [](CLI::Option* option) { return option->group("Experiments"); };
    group(app.add_option("--experiments", m_given.experiments,
                         "Ids, labels or groups as listed below; by default all but the costly "
                         "ones; with a text, chosen_experts is always among them; importance "
                         "is the group, E1 its table's own experiment alone"))
        ->type_name("ID")
        ->expected(1, -1);
    group(app.add_option("--baseline", m_given.baselines,
                         "Dense checkpoint F to compare with; may be repeated"))
        ->type_name("CHECKPOINT")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_option("--top-k", m_given.topK, "Choose N experts instead of the model's own k"))
        ->type_name("N");
    group(app.add_flag("--skip-first-token", m_given.skipFirstToken,
                       "Leave each document's first token (BOS) out of the statistics"));
    group(app.add_option("--kept-tokens", m_given.keptTokens,
                         "Tokens whose own similarity map is kept (64)"))
        ->type_name("N");
    group(app.add_option("--kept-states", m_given.keptStates,
                         "Tokens whose intermediate states are kept, every neuron of every "
                         "expert (8)"))
        ->type_name("N");
    group(app.add_option("--activity-threshold", m_given.activityThreshold,
                         "Magnitude above which a neuron counts as active (0.001)"))
        ->type_name("X");
    group(app.add_option("--router-noise", m_given.routerNoise,
                         "Margins: sizes of noise on the router's input, over the input's own "
                         "(0.01,0.05,0.2)"))
        ->type_name("LIST")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(
        app.add_option("--kept-size", m_given.keptSize,
                       "Disk that single tokens of an experiment may take, all layers together: "
                       "norms and scores (4G), similarity maps and intermediate states (1G each), "
                       "losses and predictions without experts (256M); beyond it fewer are kept"))
        ->type_name("SIZE");
    group(app.add_option("--kept-from", m_given.keptFrom,
                         "Which tokens are kept: first (of the text), spread over it, or these, "
                         "as in 100-163,4000,5000-: all of them unless a number is given"))
        ->type_name("WHERE");
    group(app.add_option("--kept-documents", m_given.keptDocuments,
                         "Keep the tokens of these documents, numbered from 0: 3 or 0,2,5-7; "
                         "beside those that --kept-from names"))
        ->type_name("LIST");
    group(app.add_option("--remove", m_given.removals,
                         "expert_removal: only without these experts, LAYER:EXPERT as in 0:3,5:1, "
                         "or 3 for expert 3 of every layer; may be repeated for further sets; all "
                         "removes each in turn as well; sets come to what the session has"))
        ->type_name("SET")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_option(
              "--remove-controls", m_given.removalControls,
              "Beside each set, so many sets of as many other experts of the same layers, of "
              "like load (5)"))
        ->type_name("N");
    group(app.add_option("--prune-list", m_given.pruneLists,
                         "pruning: also without the experts that this file lists, JSON as export "
                         "--format json writes it, or with a \"list\" of {\"layer\": 0, "
                         "\"expert\": 3}; may be repeated; lists come to what the session has"))
        ->type_name("FILE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_flag("--prune-lists-only", m_given.pruneListsOnly,
                       fmt::format("pruning: measure the lists alone; the curves, {} branches, can "
                                   "come later",
                                   experiments::kCurveBranches)));
    group(app.add_option("--choices", m_given.choices,
                         "expert_removal, fewer_experts, pruning: also answer these "
                         "multiple-choice questions; JSONL, {\"question\": \"2 + 2 =\", "
                         "\"choices\": [\"4\", \"5\"], \"answer\": 0} on each line, the answer's "
                         "index from 0 (context, endings and label are accepted as names too)"))
        ->type_name("FILE");
}

void AnalyzeCommand::attachWeights(CLI::App& app) {
    const auto group = [](CLI::Option* option) { return option->group("Experiments on weights"); };
    group(app.add_option("--relative-to", m_given.relativeTo,
                         "Relative weight similarity against: auto, baseline, mean"))
        ->type_name("WHAT");
    group(app.add_option("--static-layers", m_given.staticLayers,
                         "Only these layers, as in 0,8-15,31 (all); more can be added later"))
        ->type_name("LIST")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_option("--matching", m_given.matching,
                         "Neurons are matched for each matrix by itself (separate), or by one "
                         "permutation for all three (joint)"))
        ->type_name("HOW");
    group(app.add_option("--match-roles", m_given.matchRoles,
                         "Match only these of gate, up, down, as in gate,up"))
        ->type_name("LIST")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_option("--match-pairs", m_given.matchPairs,
                         "Match only these pairs of experts and F, as in 0:1,2:F (all)"))
        ->type_name("LIST")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(app.add_option("--router-against", m_given.routerAgainst,
                         "Router similarity against that of weights by: mean-neuron, matrix"))
        ->type_name("WHAT");
    group(app.add_option("--projection", m_given.projection,
                         "Columns of projections: standardised, raw"))
        ->type_name("HOW");
    group(app.add_option("--outlier-radius", m_given.outlierRadius,
                         "Projection of experts: DBSCAN's radius (50)"))
        ->type_name("R");
    group(app.add_option("--outlier-neighbours", m_given.outlierNeighbours,
                         "and the points it must hold, the expert included (5)"))
        ->type_name("N");
}

void AnalyzeCommand::attachRun(CLI::App& app) {
    const auto group = [](CLI::Option* option) { return option->group("Run"); };
    group(app.add_option("--device", m_given.device,
                         "auto, cpu, cuda (all GPUs) or cuda:N, several with commas: the documents "
                         "are shared out among them"))
        ->type_name("DEVICE");
    group(app.add_option("--dtype", m_given.dtype, "auto, float32 or bfloat16"))->type_name("TYPE");
    group(app.add_option("--memory", m_given.memory, "Memory to work in, as in 8G"))
        ->type_name("SIZE");
    group(app.add_option("--device-memory", m_given.deviceMemory,
                         "The same of each GPU (default: most of what is free)"))
        ->type_name("SIZE");
    group(app.add_option("--threads", m_given.threads, "CPU threads; 0 = all (default)"))
        ->type_name("N")
        ->check(CLI::Range(0, 4096));
    group(app.add_option("--scratch", m_given.scratch,
                         "Keep hidden states on disk: auto, always, never"))
        ->type_name("WHEN");
    group(app.add_flag("--resume", m_given.resume,
                       "Go on with an interrupted run, without --experiments with its own; where "
                       "there is none, say so and begin"));
    group(app.add_flag("--restart", m_given.restart,
                       "Drop what an interrupted run left at RUN.h5.partial"));
    group(app.add_option("--title", m_given.title, "A name for the session"))->type_name("TEXT");
    group(app.add_flag("--dry-run", m_given.dryRun, "Print what the run would need, and stop"));
    group(app.add_flag("--json", m_given.json, "One JSON object per event on stdout"));
}

bool AnalyzeCommand::wasCalled() const {
    return m_app != nullptr && m_app->parsed();
}

std::optional<text::TextSource> AnalyzeCommand::textSource() const {
    const int kinds = (m_given.textFiles.empty() ? 0 : 1) + (m_given.prompt ? 1 : 0) +
                      (m_given.preset ? 1 : 0) + (m_given.csv ? 1 : 0) + (m_given.jsonl ? 1 : 0);
    const bool table = m_given.csv || m_given.jsonl;
    if (kinds > 1) {
        refuse("Give one of --text, --prompt, --preset, --csv and --jsonl, not several.");
    }
    if (!table && (m_given.column || m_given.domainColumn)) {
        refuse("--column and --domain-column need --csv FILE or --jsonl FILE.");
    }
    if (!m_given.csv && m_given.noHeader) {
        refuse("--no-header needs --csv FILE.");
    }
    if (kinds == 0) {
        if (m_given.splitLines || m_given.skipPrefix || m_given.maxDocuments || m_given.maxTokens ||
            m_given.context || m_given.chat) {
            refuse(
                "Options about the text need a text: give --text, --prompt, --preset, --csv or "
                "--jsonl.");
        }
        return std::nullopt;
    }
    TextSource source;
    if (table) {
        source.kind = m_given.csv ? TextSource::Kind::Csv : TextSource::Kind::Jsonl;
        source.paths = {m_given.csv ? *m_given.csv : *m_given.jsonl};
        source.column = m_given.column.value_or("");
        source.domainColumn = m_given.domainColumn.value_or("");
        source.hasHeader = !m_given.noHeader;
    } else if (!m_given.textFiles.empty()) {
        source.kind = TextSource::Kind::Files;
        source.paths.assign(m_given.textFiles.begin(), m_given.textFiles.end());
    } else {
        source.kind = TextSource::Kind::Prompt;
        source.prompt = m_given.prompt ? *m_given.prompt : presetPrompt(*m_given.preset);
    }
    source.splitLines = m_given.splitLines;
    source.skipPrefix = m_given.skipPrefix.value_or("");
    source.maxDocuments = count("--max-documents", m_given.maxDocuments, 1);
    return source;
}

/// As named; to go on with a session without naming any: its own.
std::vector<std::string> AnalyzeCommand::chosenExperiments() const {
    const bool goesOn = m_given.resume && m_given.experiments.empty();
    std::vector<std::string> own =
        goesOn ? experimentsOf(m_given.session) : std::vector<std::string>();
    return own.empty() ? parseExperiments(m_given.experiments) : own;
}

experiments::ExperimentOptions AnalyzeCommand::experimentOptions(
    const std::vector<std::string>& asked) const {
    using experiments::RelativeTo;
    experiments::ExperimentOptions options;
    options.relativeTo = oneOf<RelativeTo>("--relative-to", m_given.relativeTo,
                                           {{"auto", RelativeTo::Automatic},
                                            {"baseline", RelativeTo::Baseline},
                                            {"mean", RelativeTo::Mean}});
    if (options.relativeTo == RelativeTo::Baseline && m_given.baselines.empty() &&
        !brings(m_given.session,
                [](const session::Head& head) { return !head.baselines.empty(); })) {
        refuse("--relative-to baseline needs --baseline CHECKPOINT.");
    }
    options.skipFirstToken = m_given.skipFirstToken;
    options.keptTokenCount =
        count("--kept-tokens", m_given.keptTokens, 0).value_or(options.keptTokenCount);
    options.keptStateCount =
        count("--kept-states", m_given.keptStates, 0).value_or(options.keptStateCount);
    if (!m_given.routerNoise.empty()) {
        options.noiseSizes = parseSizes("--router-noise", m_given.routerNoise);
    }
    options.activityThreshold = m_given.activityThreshold.value_or(options.activityThreshold);
    if (!(options.activityThreshold >= 0.0 && std::isfinite(options.activityThreshold))) {
        refuse("--activity-threshold takes a number of at least 0.");
    }
    if (!m_given.keptSize.empty()) {
        options.keptBytes = parseByteSize(m_given.keptSize);
    }
    addKeptTokens(options);
    addRemovals(asked, options);
    addWeightOptions(options);
    return options;
}

void AnalyzeCommand::addKeptTokens(experiments::ExperimentOptions& options) const {
    using experiments::KeptTokens;
    const std::string& from = m_given.keptFrom;
    if (!from.empty() && from.find_first_not_of("0123456789,-") == std::string::npos) {
        options.keptList = text::canonicalRanges(from);
    } else {
        options.keptTokens =
            oneOf<KeptTokens>("--kept-from", from.empty() ? "first" : from,
                              {{"first", KeptTokens::First}, {"spread", KeptTokens::Spread}});
    }
    if (!m_given.keptDocuments.empty()) {
        if (!from.empty() && options.keptList.empty()) {
            refuse("--kept-documents names tokens to keep and --kept-from " + from +
                   " chooses some: give one of them.");
        }
        try {
            options.keptDocuments = text::canonicalRanges(m_given.keptDocuments);
        } catch (const Error&) {
            refuse("--kept-documents \"" + m_given.keptDocuments +
                   "\" names no documents: give numbers and ranges, as 3 or 0,2,5-7.");
        }
    }
    if (!options.keptList.empty() || !options.keptDocuments.empty()) {
        options.keptTokens = KeptTokens::Listed;
        options.keptTokenCount =
            m_given.keptTokens ? options.keptTokenCount : experiments::kEveryListed;
        options.keptStateCount =
            m_given.keptStates ? options.keptStateCount : experiments::kEveryListed;
    }
}

void AnalyzeCommand::addRemovals(const std::vector<std::string>& asked,
                                 experiments::ExperimentOptions& options) const {
    options.removals = experiments::canonicalRemovals(m_given.removals);
    options.curves = !m_given.pruneListsOnly;
    options.removalControls =
        count("--remove-controls", m_given.removalControls, 0).value_or(options.removalControls);
    if (options.removalControls > experiments::kMostControls) {
        refuse("--remove-controls must be " + std::to_string(experiments::kMostControls) +
               " or less, not " + std::to_string(options.removalControls) +
               ": each of them is a pass of the whole text.");
    }
    const bool isAsked = !options.removals.empty() || m_given.removalControls;
    if (isAsked && std::find(asked.begin(), asked.end(), "expert_removal") == asked.end()) {
        refuse(
            "--remove and --remove-controls are about the experiment expert_removal: ask for it "
            "with --experiments.");
    }
}

void AnalyzeCommand::addWeightOptions(experiments::ExperimentOptions& options) const {
    using experiments::Matching;
    using experiments::Scaling;
    using experiments::WeightMeasure;
    options.matching =
        oneOf<Matching>("--matching", m_given.matching,
                        {{"separate", Matching::Separate}, {"joint", Matching::Joint}});
    for (const std::string& role : parseList(m_given.matchRoles)) {
        options.matchRoles.insert(oneOf<const char*>(
            "--match-roles", role, {{"gate", "gate"}, {"up", "up"}, {"down", "down"}}));
    }
    for (const std::string& pair : parseList(m_given.matchPairs)) {
        options.matchPairs.push_back(experiments::parseLabelPair(pair));
    }
    options.routerAgainst = oneOf<WeightMeasure>(
        "--router-against", m_given.routerAgainst,
        {{"mean-neuron", WeightMeasure::MeanNeuron}, {"matrix", WeightMeasure::Matrix}});
    options.projection =
        oneOf<Scaling>("--projection", m_given.projection,
                       {{"standardised", Scaling::Standardised}, {"raw", Scaling::Raw}});
    options.outlierRadius = m_given.outlierRadius.value_or(options.outlierRadius);
    if (!(options.outlierRadius > 0.0 && std::isfinite(options.outlierRadius))) {
        refuse("--outlier-radius must be a positive number.");
    }
    options.outlierNeighbours = count("--outlier-neighbours", m_given.outlierNeighbours, 1)
                                    .value_or(options.outlierNeighbours);
}

void AnalyzeCommand::requirePruning(const std::vector<std::string>& asked) const {
    if (!m_given.pruneLists.empty() &&
        std::find(asked.begin(), asked.end(), "pruning") == asked.end()) {
        refuse("--prune-list is about the experiment pruning: ask for it with --experiments.");
    }
    if (m_given.pruneListsOnly && m_given.pruneLists.empty()) {
        refuse("--prune-lists-only needs a list to measure: give --prune-list FILE.");
    }
}

void AnalyzeCommand::requireAnswering(const std::vector<std::string>& asked) const {
    if (!m_given.choices.empty() &&
        std::none_of(asked.begin(), asked.end(), experiments::answersChoices)) {
        refuse(
            "--choices is about experiments that run the model again: ask for expert_removal, "
            "fewer_experts or pruning with --experiments.");
    }
}

AnalyzeOptions AnalyzeCommand::result() const {
    AnalyzeOptions options;
    options.checkpoint = m_given.checkpoint;
    options.baselines.assign(m_given.baselines.begin(), m_given.baselines.end());
    options.session = m_given.session;
    options.title = m_given.title;
    if (m_given.session.empty()) {
        refuse("Say where the session goes: -o RUN.h5.");
    }
    if (m_given.resume && m_given.restart) {
        refuse("--resume goes on with a run and --restart drops it: give one of them.");
    }
    options.interrupted = m_given.resume    ? Interrupted::Resume
                          : m_given.restart ? Interrupted::Restart
                                            : Interrupted::Refuse;
    options.text = textSource();
    options.tokenize.maxTokens = count("--max-tokens", m_given.maxTokens, 1);
    options.tokenize.contextLength = count("--context", m_given.context, 1);
    options.tokenize.addSpecialTokens = !m_given.chat;
    options.chat = m_given.chat;
    options.experiments = chosenExperiments();
    options.experimentsNamed = !m_given.experiments.empty();
    if (!options.text && needText(options.experiments) && !bringsText(options.session)) {
        refuse(
            "These experiments need a text: give --text, --prompt, --preset, --csv or --jsonl, "
            "or ask for --experiments static.");
    }
    options.experimentOptions = experimentOptions(options.experiments);
    options.choices = m_given.choices;
    requireAnswering(options.experiments);
    options.pruneLists.assign(m_given.pruneLists.begin(), m_given.pruneLists.end());
    requirePruning(options.experiments);
    options.staticLayers = parseLayers(m_given.staticLayers);
    options.asBefore = m_given.resume && m_given.experiments.empty() &&
                       options.experimentOptions == experiments::ExperimentOptions() &&
                       options.pruneLists.empty() && options.staticLayers.empty() &&
                       !experimentsOf(options.session).empty();
    options.topK = checkedTopK(m_given.topK);
    options.device = parseDevice(m_given.device);
    options.dtype = parseDtype(m_given.dtype);
    if (!m_given.memory.empty()) {
        options.memoryBytes = parseByteSize(m_given.memory);
    }
    if (!m_given.deviceMemory.empty()) {
        options.deviceMemoryBytes = parseByteSize(m_given.deviceMemory);
    }
    options.threads = m_given.threads;
    options.scratch = oneOf<Scratch>(
        "--scratch", m_given.scratch,
        {{"auto", Scratch::Auto}, {"always", Scratch::Always}, {"never", Scratch::Never}});
    options.dryRun = m_given.dryRun;
    options.json = m_given.json;
    return options;
}

bool hasRelativePaths(const AnalyzeOptions& options) {
    const auto relative = [](const std::filesystem::path& path) { return path.is_relative(); };
    const std::vector<std::filesystem::path> none;
    const auto& texts = options.text ? options.text->paths : none;
    return relative(options.checkpoint) || relative(options.session) ||
           (!options.choices.empty() && relative(options.choices)) ||
           std::any_of(options.pruneLists.begin(), options.pruneLists.end(), relative) ||
           std::any_of(options.baselines.begin(), options.baselines.end(), relative) ||
           std::any_of(texts.begin(), texts.end(), relative);
}

}  // namespace moescope::cli
