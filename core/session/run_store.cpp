// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/run_store.h"

#include "core/base/error.h"
#include "core/session/h5_file.h"
#include "core/session/head_io.h"
#include "core/session/parts_folder.h"
#include "core/session/result_index.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace moescope::session {
namespace {

constexpr std::uint64_t kHeadOverhead = std::uint64_t{1} << 20U;
constexpr std::uint64_t kCopyBytes = std::uint64_t{16} << 20U;
constexpr std::size_t kOpenFiles = 24;

std::uint64_t headBytes(const Head& head) {
    std::uint64_t bytes = kHeadOverhead + head.model.configText.size() +
                          head.corpus.ids.size() * 16 + head.choices.ids.size() * 20;
    for (const std::string& token : head.corpus.tokenBytes) {
        bytes += token.size();
    }
    return bytes;
}

std::uint64_t partBytes(const Part& part) {
    std::uint64_t bytes = std::uint64_t{1} << 18U;
    for (const Quantity& quantity : part.quantities) {
        bytes += quantity.values.bytes().size();
    }
    return bytes;
}

QuantityInfo infoOf(const Part& part, const Quantity& quantity) {
    QuantityInfo info;
    info.id = {part.key.branch, part.key.experiment, quantity.name};
    info.axes = quantity.axes;
    info.shape = quantity.values.shape();
    info.type = quantity.values.type();
    info.longName = quantity.longName;
    info.units = quantity.units;
    info.tokens = part.tokens;
    return info;
}

/// Copies one layer's array in blocks of rows, so that memory does not grow with the text.
void copyArray(FileCache& files, const ArrayLocation& from, const QuantityInfo& info,
               const h5::Dataset& to, std::optional<std::size_t> layerRow) {
    const std::uint64_t rows = info.shape.empty() ? 1 : info.shape.front();
    const std::uint64_t total = elementCount(info.shape) * sizeOf(info.type);
    const std::uint64_t rowBytes =
        std::max<std::uint64_t>(1, total / std::max<std::uint64_t>(1, rows));
    const std::uint64_t step = std::max<std::uint64_t>(1, kCopyBytes / rowBytes);
    for (std::uint64_t first = 0; first < rows; first += step) {
        const std::uint64_t count = std::min(step, rows - first);
        const NdArray block = info.shape.empty() ? readArray(files, from, 0, std::nullopt)
                                                 : readArray(files, from, first, count);
        Shape start(info.shape.size(), 0);
        Shape extent = info.shape;
        if (!extent.empty()) {
            start.front() = first;
            extent.front() = count;
        }
        if (layerRow) {
            start.insert(start.begin(), *layerRow);
            extent.insert(extent.begin(), 1);
        }
        h5::writeSlab(to, start, extent, block);
    }
}

/// Layers whose arrays have one shape can be stacked into one dataset.
std::map<Shape, std::vector<LayerId>> groupsByShape(const IndexedQuantity& quantity) {
    std::map<Shape, std::vector<LayerId>> groups;
    for (const auto& [layer, shape] : quantity.shapes) {
        if (layer) {
            groups[shape].push_back(*layer);
        }
    }
    return groups;
}

void assembleQuantity(hid_t experimentGroup, FileCache& files, const IndexedQuantity& quantity) {
    int serial = 0;
    const auto groupName = [&] {
        ++serial;
        return serial == 1 ? quantity.info.id.quantity
                           : fmt::format("{}_{}", quantity.info.id.quantity, serial);
    };
    for (const auto& [shape, layers] : groupsByShape(quantity)) {
        QuantityInfo info = quantity.info;
        info.shape = shape;
        const auto& ids = layers;
        writeQuantity(experimentGroup, groupName(), info, ids,
                      [&](const h5::Dataset& to, std::size_t row) {
                          copyArray(files, quantity.where.at(ids[row]), info, to, row);
                      });
    }
    const auto whole = quantity.where.find(std::nullopt);
    if (whole != quantity.where.end()) {
        QuantityInfo info = quantity.info;
        info.shape = quantity.shapes.at(std::nullopt);
        writeQuantity(experimentGroup, groupName(), info, {},
                      [&](const h5::Dataset& to, std::size_t) {
                          copyArray(files, whole->second, info, to, std::nullopt);
                      });
    }
}

std::uint64_t resultBytes(const ResultIndex& index) {
    std::uint64_t bytes = 0;
    for (const auto& [id, quantity] : index.quantities) {
        for (const auto& [layer, shape] : quantity.shapes) {
            bytes += elementCount(shape) * sizeOf(quantity.info.type) + 8192;
        }
    }
    return bytes;
}

/// The old results' baselines, and which options give the same again.
std::string baselineDifference(const Head& old) {
    if (old.baselines.empty()) {
        return "a run without a baseline. Leave out --baseline, choose";
    }
    std::string names;
    for (const ModelSummary& baseline : old.baselines) {
        names += (names.empty() ? "" : ", ") + baseline.name;
    }
    return fmt::format("other dense baselines ({}). Give the same --baseline, choose", names);
}

/// What must agree before old results may stand beside new ones, and what to do when it does not;
/// the caller's sentence goes on with the remedy that always helps. Empty when all agrees.
std::string difference(const Head& old, const Head& wanted) {
    if (old.model.identity != wanted.model.identity) {
        return fmt::format("another model ({}). Choose", old.model.name);
    }
    if (old.corpus.tokenCount() > 0 && wanted.corpus.tokenCount() > 0 &&
        (old.corpus.ids != wanted.corpus.ids || old.corpus.offsets != wanted.corpus.offsets)) {
        return "another text. Give that text or none, choose";
    }
    if (!old.choices.empty() && !wanted.choices.empty() &&
        old.choices.digest() != wanted.choices.digest()) {
        return fmt::format("other multiple-choice questions ({}). Give those or none, choose",
                           old.choices.source);
    }
    if (old.run.dtype != wanted.run.dtype) {
        return fmt::format("another dtype ({0}). Give --dtype {0}, choose", old.run.dtype);
    }
    if (old.run.optionsJson != wanted.run.optionsJson) {
        return fmt::format("other options ({}). Give the same --top-k, choose",
                           old.run.optionsJson);
    }
    if (wanted.baselines.empty()) {
        return {};  // what is added compares with none; the old results keep theirs
    }
    const auto sameIdentity = [](const ModelSummary& a, const ModelSummary& b) {
        return a.identity == b.identity;
    };
    if (!std::equal(old.baselines.begin(), old.baselines.end(), wanted.baselines.begin(),
                    wanted.baselines.end(), sameIdentity)) {
        return baselineDifference(old);
    }
    return {};
}

/// All lines that made a session, one below the other: what is added need not repeat the options of
/// the first. Of very many (an attribute holds 64 KiB) the first and the last.
std::string commandLines(const std::string& old, const std::string& added) {
    constexpr std::size_t kMost = 32'768;
    const bool isThere = ("\n" + old + "\n").find("\n" + added + "\n") != std::string::npos;
    if (isThere || old.empty()) {
        return old.empty() ? added : old;
    }
    const bool fits = old.size() + added.size() < kMost;
    return (fits ? old : old.substr(0, old.find('\n'))) + "\n" + added;
}

/// The new plan, with what the old session had besides; a title that was not asked for is the old
/// one's, or the model's name.
Head combine(const std::optional<Head>& old, Head wanted) {
    if (wanted.title.empty()) {
        wanted.title = old ? old->title : wanted.model.name;
    }
    if (!old) {
        return wanted;
    }
    wanted.uuid = old->uuid;
    wanted.run.createdUtc = old->run.createdUtc;  // the session's, not that of what is added
    wanted.run.commandLine = commandLines(old->run.commandLine, wanted.run.commandLine);
    for (const std::string& warning : old->warnings) {
        if (std::find(wanted.warnings.begin(), wanted.warnings.end(), warning) ==
            wanted.warnings.end()) {
            wanted.warnings.push_back(warning);
        }
    }
    if (wanted.corpus.tokenCount() == 0) {
        wanted.corpus = old->corpus;
        wanted.run.chatTemplate = old->run.chatTemplate;
    }
    if (wanted.choices.empty()) {
        wanted.choices = old->choices;
    }
    if (wanted.baselines.empty()) {
        wanted.baselines = old->baselines;
    }
    for (const ExperimentRecord& record : old->experiments) {
        const auto known =
            std::find_if(wanted.experiments.begin(), wanted.experiments.end(),
                         [&](const ExperimentRecord& other) { return other.id == record.id; });
        if (known == wanted.experiments.end()) {
            wanted.experiments.push_back(record);
        } else if (known->version == record.version && known->optionsJson == record.optionsJson) {
            // More layers of one experiment: what was finished stays part of it.
            std::vector<LayerId> layers;
            std::set_union(known->layers.begin(), known->layers.end(), record.layers.begin(),
                           record.layers.end(), std::back_inserter(layers));
            known->layers = std::move(layers);
        }
    }
    return wanted;
}

/// An exclusive lock on the parts folder for as long as the object lives.
class FolderLock {
public:
    explicit FolderLock(const std::filesystem::path& folder) {
        const auto path = folder / "lock";
        m_fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (m_fd < 0) {
            throw Error(errno == ENOSPC ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
                        fmt::format("Cannot write {}: {}.", path.string(), std::strerror(errno)));
        }
        if (::flock(m_fd, LOCK_EX | LOCK_NB) != 0) {
            ::close(m_fd);
            throw Error(
                ErrorCode::FileUnwritable,
                fmt::format(
                    "Another run is writing {} now. Wait for it, or choose another output file.",
                    folder.string()));
        }
    }
    ~FolderLock() { ::close(m_fd); }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

    /// False when the run that held the lock before removed the folder meanwhile.
    [[nodiscard]] bool holds(const std::filesystem::path& folder) const {
        struct stat own {};
        struct stat there {};
        return ::fstat(m_fd, &own) == 0 && ::stat((folder / "lock").c_str(), &there) == 0 &&
               own.st_ino == there.st_ino && own.st_dev == there.st_dev;
    }

private:
    int m_fd = -1;
};

}  // namespace

struct RunStore::Impl {
    std::filesystem::path session;
    std::filesystem::path folder;
    Existing existing = Existing::Nothing;
    std::optional<Head> oldHead;
    Head head;
    ResultIndex index;
    std::optional<FolderLock> lock;

    void lockFolder() {
        do {
            std::error_code error;
            std::filesystem::create_directories(folder, error);
            if (error) {
                throw Error(
                    error.value() == ENOSPC ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
                    fmt::format("Cannot create {}: {}. Choose another output file with -o.",
                                folder.string(), error.message()));
            }
            lock.emplace(folder);
        } while (!lock->holds(folder));
    }

    /// Takes stock of what lies at the session's path.
    void look() {
        std::error_code error;
        const bool hasSession = std::filesystem::exists(session, error);
        if (!lock && parts::hasHead(folder)) {
            lockFolder();
        }
        existing = Existing::Nothing;
        oldHead.reset();
        if (parts::hasWork(folder)) {
            existing = hasSession ? Existing::SessionAndParts : Existing::Parts;
            oldHead = headOf(parts::headFile(folder));
        } else if (hasSession) {
            existing = Existing::Session;
            oldHead = headOf(session);
        }
    }

    /// The parts may stand beside this session only when both are of one run: results carry no
    /// model and no text of their own.
    void requireOneRun() const {
        if (existing != Existing::SessionAndParts || headOf(session).uuid == oldHead->uuid) {
            return;
        }
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} and the unfinished run in {} do not belong together. Move one "
                                "of them away, or remove the folder to give up the unfinished run.",
                                session.string(), folder.string()));
    }

    /// Gives the lock back; a folder in which nothing is finished goes with it.
    void leave() {
        if (lock && !parts::hasWork(folder)) {
            std::error_code ignored;
            std::filesystem::remove_all(folder, ignored);
        }
        lock.reset();
    }

    [[nodiscard]] static Head headOf(const std::filesystem::path& path) {
        const h5::File file = h5::openFile(path);
        return readHead(file.get());
    }

    [[nodiscard]] const ExperimentRecord& record(const std::string& experiment) const {
        const auto found =
            std::find_if(head.experiments.begin(), head.experiments.end(),
                         [&](const ExperimentRecord& entry) { return entry.id == experiment; });
        if (found == head.experiments.end()) {
            throw Error(ErrorCode::Internal,
                        fmt::format("A part of {}, which is not planned.", experiment));
        }
        return *found;
    }

    void writeHeadFile() const {
        h5::writeFile(parts::headFile(folder), headBytes(head),
                      [&](hid_t file) { writeHead(file, head); });
    }
};

void requireSameRun(const Head& existing, const Head& wanted, const std::filesystem::path& where) {
    const std::string differs = difference(existing, wanted);
    if (differs.empty()) {
        return;
    }
    std::error_code ignored;
    const bool parts = std::filesystem::is_directory(where, ignored);
    throw Error(ErrorCode::BadSession,
                fmt::format("{} holds {} of {} another output file with -o, or {}.", where.string(),
                            parts ? "unfinished results" : "results", differs,
                            parts ? "drop them with --restart" : "remove it"));
}

RunStore::RunStore(std::filesystem::path sessionPath) : m_impl(std::make_unique<Impl>()) {
    const h5::Guard guard;
    m_impl->session = std::move(sessionPath);
    m_impl->folder = parts::folderFor(m_impl->session);
    if (m_impl->folder == m_impl->session) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("{} is the name of the folder of an unfinished run. Give the "
                        "session's own name: {}.",
                        m_impl->session.string(), parts::sessionFor(m_impl->folder).string()));
    }
    m_impl->look();
}

RunStore::~RunStore() {
    const h5::Guard guard;
    m_impl->leave();
    m_impl.reset();
}

RunStore::Existing RunStore::existing() const {
    return m_impl->existing;
}

const std::optional<Head>& RunStore::existingHead() const {
    return m_impl->oldHead;
}

void RunStore::begin(const Head& head) {
    const h5::Guard guard;
    if (!m_impl->lock) {
        m_impl->lockFolder();
        m_impl->look();  // another run may have written here since
    }
    m_impl->requireOneRun();
    if (m_impl->oldHead) {
        const bool parts = parts::hasWork(m_impl->folder);
        requireSameRun(*m_impl->oldHead, head, parts ? m_impl->folder : m_impl->session);
    }
    m_impl->head = combine(m_impl->oldHead, head);
    if (!parts::hasWork(m_impl->folder)) {
        parts::clear(m_impl->folder);
    }
    m_impl->writeHeadFile();
    m_impl->index = parts::read(m_impl->folder).index;
}

bool RunStore::hasPart(const PartKey& key) const {
    return m_impl->index.has(key);
}

bool RunStore::modelPartIsStale(BranchId branch, const std::string& experiment) const {
    const auto isNew = [&](std::optional<LayerId> layer) {
        std::error_code ignored;
        const PartKey key{branch, experiment, layer};
        return hasPart(key) &&
               std::filesystem::exists(parts::partFile(m_impl->folder, key), ignored);
    };
    const auto& layers = m_impl->record(experiment).layers;
    return !isNew(std::nullopt) && std::any_of(layers.begin(), layers.end(), isNew);
}

namespace {

void writePartFile(const std::filesystem::path& path, const ExperimentRecord& record,
                   const Part& part) {
    FinishedExperiment finished;
    finished.version = record.version;
    finished.optionsJson = record.optionsJson;
    finished.parts = {part.key.layer};
    if (!part.warnings.empty()) {
        finished.warnings[part.key.layer] = part.warnings;
    }
    h5::writeFile(path, partBytes(part), [&](hid_t file) {
        const h5::Group group = writeExperimentGroup(file, part.key.branch, record, finished);
        const std::vector<LayerId> layers =
            part.key.layer ? std::vector<LayerId>{*part.key.layer} : std::vector<LayerId>{};
        for (const Quantity& quantity : part.quantities) {
            const QuantityInfo info = infoOf(part, quantity);
            writeQuantity(group.get(), quantity.name, info, layers,
                          [&](const h5::Dataset& to, std::size_t) {
                              Shape start(info.shape.size() + layers.size(), 0);
                              Shape extent = info.shape;
                              extent.insert(extent.begin(), layers.size(), 1);
                              h5::writeSlab(to, start, extent, quantity.values);
                          });
        }
    });
}

}  // namespace

void RunStore::writePart(const Part& part) {
    const h5::Guard guard;
    const auto path = parts::partFile(m_impl->folder, part.key);
    writePartFile(path, m_impl->record(part.key.experiment), part);
    std::error_code ignored;
    std::filesystem::remove(parts::interimFile(m_impl->folder, part.key), ignored);
    const h5::File file = h5::openFile(path);
    m_impl->index.add(file.get(), path, [](auto&&...) { return true; });
}

void RunStore::writeInterim(const Part& part) {
    const h5::Guard guard;
    writePartFile(parts::interimFile(m_impl->folder, part.key), m_impl->record(part.key.experiment),
                  part);
}

void RunStore::finish() {
    const h5::Guard guard;
    parts::updateStates(m_impl->head, m_impl->index, /*runEnded=*/true);
    const std::uint64_t bytes = headBytes(m_impl->head) + resultBytes(m_impl->index);
    FileCache sources(kOpenFiles);
    h5::writeFile(m_impl->session, bytes, [&](hid_t file) {
        writeHead(file, m_impl->head);
        for (const auto& [key, finished] : m_impl->index.experiments) {
            const h5::Group group =
                writeExperimentGroup(file, key.first, m_impl->record(key.second), finished);
            for (const auto& [id, quantity] : m_impl->index.quantities) {
                if (id.branch == key.first && id.experiment == key.second) {
                    assembleQuantity(group.get(), sources, quantity);
                }
            }
        }
    });
    sources.clear();
    // Still under the lock, so that no other run begins in a folder that goes.
    std::error_code ignored;
    std::filesystem::remove_all(m_impl->folder, ignored);
    m_impl->lock.reset();
}

void RunStore::suspend() {
    m_impl->leave();
}

const std::filesystem::path& RunStore::partsFolder() const {
    return m_impl->folder;
}

}  // namespace moescope::session
