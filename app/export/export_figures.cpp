// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/export/export_figures.h"

#include "app/export/unused_options.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/text/domain_selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <QApplication>
#include <QFontDatabase>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace moescope::cli {
namespace {

using figures::FigureBuilder;
using figures::FigureInfo;
using figures::FigureRequest;
using figures::TokenRange;
using figures::TokenSelection;

// A page or two; more is asked for with --tokens.
constexpr std::uint64_t kTokensOfAMap = 128;
constexpr std::uint64_t kTokensOfAText = 1024;

using Builders = std::vector<std::shared_ptr<const FigureBuilder>>;

/// Exports one figure of a session.
class FigureExport {
public:
    FigureExport(const FigureBuilder& builder, const ExportPlan& plan, const ExportReport& report,
                 const FigureInfo& info, const Builders& others)
        : m_builder(builder), m_plan(plan), m_report(report), m_info(info), m_others(others) {}

    std::size_t run();

private:
    [[nodiscard]] std::vector<LayerId> layers() const;
    [[nodiscard]] std::optional<TokenSelection> tokens() const;
    [[nodiscard]] std::optional<TokenSelection> askedTokens() const;
    std::size_t writeSideBySide();
    std::size_t writeSets();
    void write(std::optional<LayerId> layer, const std::optional<TokenSelection>& tokens);
    [[nodiscard]] std::string fileName(std::optional<LayerId> layer,
                                       const std::optional<TokenSelection>& tokens) const;
    [[nodiscard]] bool isData() const { return !widgets::isPicture(m_plan.file.format); }
    [[nodiscard]] bool isJson() const { return m_plan.file.format == widgets::FileFormat::Json; }
    [[nodiscard]] bool alsoOfAllLayers() const;
    [[nodiscard]] figures::RemovalChoice removal() const;
    [[nodiscard]] bool isOfExpert() const;
    [[nodiscard]] std::string removalName() const;

    const FigureBuilder& m_builder;
    const ExportPlan& m_plan;
    const ExportReport& m_report;
    const FigureInfo& m_info;
    const Builders& m_others;  ///< the sessions to compare with
    std::size_t m_count = 0;
    mutable std::string m_note;  ///< to be said with the first file
};

std::string listOf(const std::vector<LayerId>& layers) {
    std::string text;
    for (const LayerId layer : layers) {
        text += (text.empty() ? "" : ", ") + std::to_string(layer.value);
    }
    return text.empty() ? "none" : text;
}

/// A list as a part of a file name; of a long one the beginning and a digest, since file systems
/// allow 255 bytes.
std::string namePart(std::string list) {
    constexpr std::size_t kLongest = 80;
    constexpr std::size_t kShown = 48;
    constexpr std::size_t kDigits = 8;
    std::string digest;
    if (list.size() > kLongest) {
        Sha256 hash;
        hash.update(list);
        std::size_t end = std::min(list.rfind(',', kShown), kShown);
        while (end > 0 && (static_cast<unsigned char>(list[end]) & 0xC0U) == 0x80U) {
            --end;  // not within a character of UTF-8
        }
        const std::string_view rest = std::string_view(list).substr(end);
        digest = fmt::format("-and-{}-more-{}", std::count(rest.begin(), rest.end(), ','),
                             hash.hexDigest().substr(0, kDigits));
        list.resize(end);
    }
    std::replace(list.begin(), list.end(), ',', '_');
    std::replace(list.begin(), list.end(), ':', '-');
    return list + digest;
}

/// Domains are called anything; of what file systems, shells and scripts stumble over nothing
/// comes into a file name.
std::string namePart(const std::vector<std::string>& domains) {
    constexpr std::string_view kUnsafe = "/\\\"'`*?<>|&;$()";
    std::string list;
    for (const std::string& domain : domains) {
        list += (list.empty() ? "" : ",") + domain;
    }
    std::string part = namePart(list);
    const auto isUnsafe = [kUnsafe](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7F || kUnsafe.find(c) != std::string_view::npos;
    };
    std::replace_if(part.begin(), part.end(), isUnsafe, '_');
    return part;
}

/// What is supposed other than usually.
std::string nameOf(const figures::LoadSimulation& load) {
    const figures::LoadSimulation usual;
    std::string name;
    if (load.batchTokens != usual.batchTokens) {
        name += fmt::format("-batches-of-{}", load.batchTokens);
    }
    if (load.capacities != usual.capacities) {
        name += fmt::format("-capacity-{}", fmt::join(load.capacities, "_"));
    }
    return name + (load.devices ? fmt::format("-devices-{}", *load.devices) : std::string());
}

std::vector<LayerId> FigureExport::layers() const {
    std::vector<LayerId> have = m_builder.layersOf(m_info);
    if (m_plan.allLayers) {
        return have;
    }
    for (const LayerId layer : m_plan.layers) {
        if (std::find(have.begin(), have.end(), layer) == have.end()) {
            const auto& all = m_builder.head().model.layers;
            const bool dense = static_cast<std::size_t>(layer.value) < all.size() &&
                               !all[static_cast<std::size_t>(layer.value)].isRouted();
            throw Error(
                ErrorCode::Usage,
                fmt::format("{}: layer {} {}; the session has this figure for layers {}.",
                            m_info.name, layer.value,
                            dense ? "is dense and has no router" : "is not there", listOf(have)));
        }
    }
    return m_plan.layers;
}

// As the command line says.
std::optional<TokenSelection> FigureExport::askedTokens() const {
    const auto& corpus = m_builder.head().corpus;
    if (!m_plan.domains.empty()) {
        return text::selectDomains(m_plan.domains, corpus);
    }
    if (!m_plan.documents.empty()) {
        return figures::parseDocuments(m_plan.documents, corpus.offsets);
    }
    return m_plan.tokens.empty()
               ? std::nullopt
               : std::optional(figures::parseTokens(m_plan.tokens, corpus.tokenCount()));
}

std::optional<TokenSelection> FigureExport::tokens() const {
    if (!m_info.takesTokens) {
        return std::nullopt;
    }
    if (auto asked = askedTokens()) {
        return asked;
    }
    const std::uint64_t count = m_builder.head().corpus.tokenCount();
    if (m_info.experiment == "intermediate_states" || (m_info.hasMean && m_plan.mean)) {
        return std::nullopt;  // one of those that were kept; the mean of all
    }
    if (m_info.needsToken) {
        // The first token of a document is usually a mark of its beginning, the second is text.
        return TokenRange{count > 1 ? 1U : 0U, 1};
    }
    const bool isText = m_info.name == "coloured-text" || m_info.name == "expert-removal-text";
    const bool isMap = m_info.name == "chosen-experts" || m_info.name == "routing-comparison";
    const std::uint64_t most = isText ? kTokensOfAText : kTokensOfAMap;
    if (!(isText || isMap) || isData() || count <= most) {
        return std::nullopt;
    }
    m_note = fmt::format("{}: tokens 0 to {} of {}; give --tokens for others.", m_info.name,
                         most - 1, count);
    return TokenRange{0, most};
}

std::string FigureExport::fileName(std::optional<LayerId> layer,
                                   const std::optional<TokenSelection>& tokens) const {
    std::string name(m_info.name);
    const std::string suffixed = "." + std::string(widgets::suffix(m_plan.file.format));
    if (m_info.hasRoles && !m_plan.roles.empty()) {
        name += "-" + m_plan.roles.front();
    }
    if (m_info.hasRelative && m_plan.relative) {
        name += "-relative";
    }
    if (m_info.canCluster && m_plan.clustered) {
        name += "-clustered";
    }
    if (m_info.hasDimensions && m_plan.dimensions == 3) {
        name += "-3d";
    }
    if (layer) {
        const auto digits = std::to_string(m_builder.head().model.layers.size()).size();
        name += fmt::format("-layer-{:0{}}", layer->value, std::max<std::size_t>(digits, 2));
    } else if (m_info.perLayer && !m_info.removes) {
        name += m_plan.sideBySide ? "-side-by-side" : "-all-layers";
        if (m_plan.sideBySide && !m_plan.allLayers) {
            std::string numbers;
            for (const LayerId each : m_plan.layers) {
                numbers += (numbers.empty() ? "" : ",") + std::to_string(each.value);
            }
            name += "-layers-" + namePart(numbers);
        }
    }
    if (m_info.removes) {
        name += removalName();
    }
    if (isOfExpert() && m_plan.expert) {
        name += fmt::format("-expert-{}", *m_plan.expert);
    }
    if (m_info.takesRanks && m_plan.ranks) {
        name += fmt::format("-ranks-{}-{}", m_plan.ranks->first, m_plan.ranks->last);
    }
    if (m_info.hasMean && m_plan.mean) {
        name += "-mean";
    }
    if (m_info.simulatesLoad && m_plan.load) {
        name += nameOf(*m_plan.load);
    }
    if (m_info.prunes && m_plan.prune) {
        const figures::PruneChoice& choice = *m_plan.prune;
        name += (choice.criterion.empty() ? "" : "-" + choice.criterion) +
                fmt::format("-{}", choice.share) + (choice.acrossLayers ? "-of-all" : "");
    }
    if (!tokens || !m_info.takesTokens) {
        return name + suffixed;
    }
    if (!m_plan.domains.empty()) {
        return name + "-domain-" + namePart(m_plan.domains) + suffixed;
    }
    if (!m_plan.documents.empty()) {
        return name + "-documents-" + namePart(m_plan.documents) + suffixed;
    }
    if (m_info.needsToken && tokens->count() == 1) {
        name += fmt::format("-token-{}", tokens->ranges().front().first);
    } else if (!m_plan.tokens.empty()) {
        name += tokens->isOneRange() ? fmt::format("-tokens-{}-{}", tokens->ranges().front().first,
                                                   tokens->end() - 1)
                                     : "-tokens-" + namePart(m_plan.tokens);
    }
    return name + suffixed;
}

/// What is gone, where that is not said by the layer.
std::string FigureExport::removalName() const {
    using Kind = figures::RemovalChoice::Kind;
    const figures::RemovalChoice choice = removal();
    switch (choice.kind) {
        case Kind::InLayer:
            return {};
        case Kind::Everywhere:
            return "-everywhere";
        case Kind::AllSets:
            return "-sets";
        case Kind::Set:
            break;
    }
    return "-without-" + namePart(choice.set);
}

figures::RemovalChoice FigureExport::removal() const {
    return m_plan.removal.value_or(figures::usualRemoval(m_builder.removals()));
}

/// Whether --expert says something about the figure.
bool FigureExport::isOfExpert() const {
    using Kind = figures::RemovalChoice::Kind;
    if (!m_info.removes) {
        return m_info.needsExpert || m_info.takesExpert;
    }
    return removal().kind == Kind::InLayer || removal().kind == Kind::Everywhere;
}

void FigureExport::write(std::optional<LayerId> layer,
                         const std::optional<TokenSelection>& tokens) {
    FigureRequest request;
    request.figure = m_info.name;
    request.layer = layer;
    if (!layer && (m_info.hasSideBySide || m_info.totalIsOfPanels) && m_plan.sideBySide) {
        request.layers = m_plan.layers;
    }
    request.expert = isOfExpert() ? m_plan.expert : std::nullopt;
    request.removal = m_info.removes ? m_plan.removal : std::nullopt;
    request.tokens = tokens;
    request.mean = m_info.hasMean && m_plan.mean;
    request.range = m_plan.range;
    if (m_plan.allFigures && m_info.hasUsualRange &&
        request.range.kind == figures::ColourRange::Kind::AllLayers) {
        request.range = {};  // asked of layers, not of a few far values in one map of them all
    }
    request.colourMap = m_info.hasColourScale ? m_plan.colourMap : std::nullopt;
    request.maskDiagonal = m_plan.maskDiagonal;
    if (m_info.hasRoles) {
        request.roles = m_plan.roles;
    }
    request.dimensions = m_info.hasDimensions ? m_plan.dimensions : 2;
    request.withoutOutliers = m_plan.withoutOutliers && m_info.hasOutliers;
    request.sideBySide = m_plan.sideBySide && m_info.takesRanks;
    if (m_info.takesRanks) {
        request.ranks = m_plan.ranks;
    }
    if (m_info.choosesExperiments) {
        request.experiments = m_plan.experiments;
    }
    request.relative = m_info.hasRelative && m_plan.relative;
    request.clustered = m_info.canCluster && m_plan.clustered;
    if (m_info.simulatesLoad) {
        request.load = m_plan.load.value_or(figures::LoadSimulation());
    }
    if (m_info.prunes) {
        request.prune = m_plan.prune;
        if (isJson() && !request.prune) {
            request.prune = figures::PruneChoice();
        }
    }
    const std::filesystem::path path = m_plan.folder / fileName(layer, tokens);
    figures::BuildAids aids;
    if (m_info.needsOther && !m_others.empty()) {
        aids.other = m_others.front();
        aids.further.assign(std::next(m_others.begin()), m_others.end());
    }
    widgets::exportFigure(m_builder.build(request, aids), m_plan.file, path);
    ++m_count;
    if (m_report.note && !m_note.empty()) {
        m_report.note(std::exchange(m_note, {}));
    }
    if (m_report.written) {
        m_report.written(path);
    }
}

// A picture of all layers shows one role.
std::size_t FigureExport::writeSideBySide() {
    if (!m_info.hasRoles || !m_plan.roles.empty()) {
        // A passage has its own usual length.
        write(std::nullopt, m_info.ofSelection ? tokens() : askedTokens());
        return m_count;
    }
    for (const char* role : {"gate", "up", "down"}) {
        ExportPlan plan = m_plan;
        plan.roles = {role};
        m_count += FigureExport(m_builder, plan, m_report, m_info, m_others).writeSideBySide();
    }
    return m_count;
}

/// Drawn of all layers together as well. Tables of all experts are too long for a picture.
bool FigureExport::alsoOfAllLayers() const {
    return m_info.name == "rank-counts" || m_info.name == "router-regression" ||
           m_info.name == "router-margin" || m_info.name == "importance-correlation" ||
           (m_info.name == "importance" && isData());
}

/// The text of each chosen set, a file for each.
std::size_t FigureExport::writeSets() {
    for (const std::string& set : m_builder.removals().sets) {
        ExportPlan plan = m_plan;
        plan.removal = figures::RemovalChoice{figures::RemovalChoice::Kind::Set, set};
        m_count += FigureExport(m_builder, plan, m_report, m_info, m_others).run();
    }
    return m_count;
}

std::size_t FigureExport::run() {
    if (m_info.name == "expert-removal-text" && !m_builder.removals().sets.empty() &&
        removal().kind == figures::RemovalChoice::Kind::AllSets) {
        return writeSets();
    }
    if (m_info.perLayer && m_plan.sideBySide && m_info.hasTotal) {
        return writeSideBySide();
    }
    const auto range = tokens();
    const bool isOfOneLayer =
        m_info.perLayer &&
        (!m_info.removes || removal().kind == figures::RemovalChoice::Kind::InLayer);
    if (!isOfOneLayer) {
        write(std::nullopt, range);
        return m_count;
    }
    if (!(isJson() && m_plan.allLayers)) {  // one list for a whole model
        for (const LayerId layer : layers()) {
            write(layer, range);
        }
    }
    if (m_plan.allLayers && alsoOfAllLayers()) {
        write(std::nullopt, range);
    }
    return m_count;
}

/// The folder for the files, made where the one above it is there; gone again when nothing comes
/// into it.
class OutputFolder {
public:
    explicit OutputFolder(const std::filesystem::path& folder)
        : m_folder(std::filesystem::absolute(folder / "").parent_path()) {
        std::error_code error;
        if (!std::filesystem::exists(m_folder, error)) {
            const std::filesystem::path above = m_folder.parent_path();
            if (!std::filesystem::is_directory(above, error)) {
                throw Error(ErrorCode::FileUnwritable,
                            fmt::format("The folder {} does not exist; of -o {} only the last "
                                        "folder is made.",
                                        above.string(), folder.string()));
            }
            m_isMade = std::filesystem::create_directory(m_folder, error);
        }
        if (error || !std::filesystem::is_directory(m_folder)) {
            throw Error(
                ErrorCode::FileUnwritable,
                fmt::format("The folder {} cannot be made ({}); choose another with -o.",
                            m_folder.string(), error ? error.message() : "a file is in the way"));
        }
    }
    ~OutputFolder() {
        std::error_code notEmpty;
        if (m_isMade) {
            std::filesystem::remove(m_folder, notEmpty);
        }
    }
    OutputFolder(const OutputFolder&) = delete;
    OutputFolder& operator=(const OutputFolder&) = delete;

private:
    std::filesystem::path m_folder;
    bool m_isMade = false;
};

QtMessageHandler nextHandler = nullptr;

/// Qt speaks of the folder of a login session on every start where there is none: as root, in a
/// container, in a batch job.
void withoutNoise(QtMsgType type, const QMessageLogContext& context, const QString& message) {
    if (nextHandler != nullptr &&
        !message.startsWith(QLatin1String("QStandardPaths: XDG_RUNTIME_DIR not set"))) {
        nextHandler(type, context, message);
    }
}

}  // namespace

void prepareDrawing() {
    if (nextHandler == nullptr) {
        nextHandler = qInstallMessageHandler(withoutNoise);
    }
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
}

std::size_t exportFigures(const FigureBuilder& builder, const ExportPlan& plan,
                          const ExportReport& report) {
    std::vector<const FigureInfo*> wanted = plan.figures;
    if (plan.allFigures) {
        wanted = builder.available();
        const bool lists = plan.file.format == widgets::FileFormat::Json;
        std::erase_if(wanted, [&](const FigureInfo* info) {
            return (info->needsOther && plan.others.empty()) ||
                   (info->needsOther && !info->takesSeries && plan.others.size() > 1) ||
                   (info->needsExpert && !plan.expert) || (lists && !info->prunes);
        });
    }
    if (!plan.allFigures) {
        requireUsed(plan, wanted);
    }
    Builders others;
    for (const std::filesystem::path& other : plan.others) {
        others.push_back(std::make_shared<const FigureBuilder>(
            figures::makeSource(session::Session::open(other))));
    }
    const OutputFolder folder(plan.folder);
    std::size_t count = 0;
    for (const FigureInfo* info : wanted) {
        if (info->needsExpert && !plan.expert) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} is about one expert: say which with --expert.",
                                    info->name));
        }
        const auto have = builder.available();
        if (std::find(have.begin(), have.end(), info) == have.end()) {
            // Says what is missing and how to add it.
            FigureRequest request;
            request.figure = info->name;
            (void)builder.build(request);
        }
        if (!plan.allFigures) {
            requireUsed(plan, *info,
                        plan.removal.value_or(figures::usualRemoval(builder.removals())));
        }
        count += FigureExport(builder, plan, report, *info, others).run();
    }
    return count;
}

std::size_t exportFigures(const ExportPlan& plan, const ExportReport& report) {
    const auto session = session::Session::open(plan.session);
    if (session->isPartial() && report.note) {
        report.note(
            fmt::format("{} is a run in progress or interrupted; what is finished is exported.",
                        plan.session.string()));
    }
    return exportFigures(FigureBuilder(figures::makeSource(session)), plan, report);
}

int runExport(const ExportPlan& plan, int argc, char** argv) {
    prepareDrawing();
    QApplication application(argc, argv);
    const ExportReport report{
        .written = [](const std::filesystem::path& path) { fmt::print("{}\n", path.string()); },
        .note = [](const std::string& text) { fmt::print(stderr, "moescope: {}\n", text); }};
    try {
        if (widgets::isPicture(plan.file.format) && QFontDatabase::families().isEmpty()) {
            report.note(
                "no fonts are installed, so texts will be missing; install fonts-dejavu-core.");
        }
        exportFigures(plan, report);
        return EXIT_SUCCESS;
    } catch (const Error& error) {
        report.note(error.what());
        return exitCode(error.code());
    }
}

}  // namespace moescope::cli
