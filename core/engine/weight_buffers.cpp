// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_buffers.h"

#include "core/base/direct_file.h"
#include "core/base/error.h"

#include <sys/mman.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <optional>

namespace moescope::engine {
namespace {

/// Of large pages: the kernel gives them to memory that begins at one.
constexpr std::size_t kLargePage = std::size_t{2} << 20U;

std::size_t roundedUp(std::size_t size, std::size_t to) {
    return (size + to - 1) / to * to;
}

}  // namespace

/// One piece of address space cut first-fit. Weights of a model have few sizes and go in the order
/// they came, so that it hardly breaks into pieces.
class WeightBuffers::Arena : public std::enable_shared_from_this<WeightBuffers::Arena> {
public:
    explicit Arena(std::size_t size) : m_mapped(roundedUp(size, kLargePage) + kLargePage) {
        void* data = ::mmap(nullptr, m_mapped, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED) {
            throw std::bad_alloc();
        }
        m_data = static_cast<std::byte*>(data);
        const auto address = reinterpret_cast<std::uintptr_t>(data);
        const std::size_t first = roundedUp(address, kLargePage) - address;
        const std::size_t usable = roundedUp(size, DirectFile::kAlignment);
        m_free.emplace(first, usable);
#if defined(MADV_HUGEPAGE)
        ::madvise(m_data + first, usable, MADV_HUGEPAGE);  // a wish; nothing depends on it
#endif
    }
    ~Arena() {
        ::munmap(m_data, m_mapped);
    }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t size) {
        const std::size_t whole = roundedUp(std::max<std::size_t>(size, 1), DirectFile::kAlignment);
        std::optional<std::size_t> place;
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, [&] {
                place = cut(whole);
                return place || m_urgent > 0 || m_closed;
            });
            if (m_closed) {
                if (place) {
                    giveBack(*place, whole);
                }
                throw Error(ErrorCode::Cancelled, "The run was stopped.");
            }
        }
        if (!place) {
            return besides(whole);
        }
        return {m_data + *place, [arena = shared_from_this(), at = *place, whole](std::byte*) {
                    {
                        const std::lock_guard lock(arena->m_mutex);
                        arena->giveBack(at, whole);
                    }
                    arena->m_changed.notify_all();
                }};
    }

    void close() {
        {
            const std::lock_guard lock(m_mutex);
            m_closed = true;
        }
        m_changed.notify_all();
    }

    void addUrgent(int count) {
        {
            const std::lock_guard lock(m_mutex);
            m_urgent += count;
        }
        m_changed.notify_all();
    }

private:
    [[nodiscard]] static std::shared_ptr<std::byte> besides(std::size_t size) {
        constexpr std::align_val_t kAlignment{DirectFile::kAlignment};
        return {static_cast<std::byte*>(::operator new(size, kAlignment)),
                [](std::byte* data) { ::operator delete(data, kAlignment); }};
    }

    [[nodiscard]] std::optional<std::size_t> cut(std::size_t size) {
        const auto found = std::find_if(m_free.begin(), m_free.end(),
                                        [&](const auto& piece) { return piece.second >= size; });
        if (found == m_free.end()) {
            return std::nullopt;
        }
        const auto [at, available] = *found;
        m_free.erase(found);
        if (available > size) {
            m_free.emplace(at + size, available - size);
        }
        return at;
    }

    void giveBack(std::size_t at, std::size_t size) {
        const auto [piece, added] = m_free.emplace(at, size);
        if (const auto next = std::next(piece);
            next != m_free.end() && piece->first + piece->second == next->first) {
            piece->second += next->second;
            m_free.erase(next);
        }
        if (piece != m_free.begin()) {
            const auto before = std::prev(piece);
            if (before->first + before->second == piece->first) {
                before->second += piece->second;
                m_free.erase(piece);
            }
        }
    }

    std::size_t m_mapped;
    std::byte* m_data = nullptr;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<std::size_t, std::size_t> m_free;  // guarded: place and size
    int m_urgent = 0;                           // guarded
    bool m_closed = false;                      // guarded
};

WeightBuffers::WeightBuffers(std::uint64_t bytes)
    : m_arena(std::make_shared<Arena>(static_cast<std::size_t>(bytes))) {}

WeightBuffers::~WeightBuffers() = default;

std::shared_ptr<std::byte> WeightBuffers::take(std::size_t size) {
    return m_arena->take(size);
}

void WeightBuffers::close() {
    m_arena->close();
}

WeightBuffers::Urgent::Urgent(WeightBuffers& buffers) : m_buffers(buffers) {
    m_buffers.m_arena->addUrgent(1);
}

WeightBuffers::Urgent::~Urgent() {
    m_buffers.m_arena->addUrgent(-1);
}

}  // namespace moescope::engine
