// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/limited_memory.h"

#include "tests/support/torch.h"

#include <c10/core/CPUAllocator.h>
#include <torch/version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace moescope::tests {
namespace {

constexpr std::size_t kHostPiece = std::size_t{4} << 20U;

/// The allocator that was there before, and what was taken of it since a limit was set. Memory may
/// be given back after its limit is gone, so this never goes.
struct Ledger {
    c10::Allocator* below = nullptr;
    std::atomic<std::int64_t> limit{0}, taken{0}, most{0}, refusals{0};
    std::atomic<std::uint64_t> seed{0};  // 0: nobody waits
};

Ledger& ledger() {
    static Ledger one;
    return one;
}

struct Piece {
    c10::DataPtr data;
    std::int64_t counted;
};

void giveBack(void* context) {
    const std::unique_ptr<Piece> piece(static_cast<Piece*>(context));
    ledger().taken -= piece->counted;
}

void waitAWhile(std::atomic<std::uint64_t>& seed) {
    if (seed == 0) {
        return;
    }
    constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
    constexpr std::uint64_t kMostMicroseconds = 60;
    const std::uint64_t mixed = (seed += kStep) * 0xBF58476D1CE4E5B9U;
    if (mixed >> 61U == 0) {  // one of eight
        std::this_thread::sleep_for(std::chrono::microseconds((mixed >> 32U) % kMostMicroseconds));
    }
}

c10::DataPtr take(std::size_t size) {
    Ledger& book = ledger();
    waitAWhile(book.seed);
    const auto counted = size >= kHostPiece ? 0 : static_cast<std::int64_t>(size);
    const std::int64_t now = book.taken += counted;
    if (counted > 0 && now > book.limit) {
        book.taken -= counted;
        ++book.refusals;
        TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory: ", size, " bytes refused");
    }
    std::int64_t most = book.most;
    while (now > most && !book.most.compare_exchange_weak(most, now)) {
    }
    auto piece = std::make_unique<Piece>(Piece{book.below->allocate(size), counted});
    void* const data = piece->data.get();
    return {data, piece.release(), &giveBack, c10::DeviceType::CPU};
}

class Limiting final : public c10::Allocator {
public:
#if TORCH_VERSION_MAJOR < 2
    c10::DataPtr allocate(std::size_t size) const override {
        return take(size);
    }
#else
    c10::DataPtr allocate(std::size_t size) override {
        return take(size);
    }
    void copy_data(void* to, const void* from, std::size_t size) const override {
        default_copy_data(to, from, size);
    }
#endif
    // A piece's context is not its address, so nobody may free it by that.
    c10::DeleterFnPtr raw_deleter() const override {
        return nullptr;
    }
};

Limiting& limiting() {
    static Limiting one;
    return one;
}

constexpr std::uint8_t kPriority = 255;

}  // namespace

LimitedMemory::LimitedMemory(std::uint64_t bytes) {
    Ledger& book = ledger();
    if (book.below == nullptr) {
        book.below = c10::GetCPUAllocator();
    }
    book.taken = 0;
    book.most = 0;
    book.refusals = 0;
    book.seed = 0;
    allow(bytes);
    c10::SetCPUAllocator(&limiting(), kPriority);
}

LimitedMemory::~LimitedMemory() {
    c10::SetCPUAllocator(ledger().below, kPriority);
}

void LimitedMemory::allow(std::uint64_t bytes) {
    ledger().limit =
        static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, std::uint64_t{1} << 62U));
}

void LimitedMemory::stagger(std::uint64_t seed) {
    ledger().seed = 2 * seed + 1;
}

std::uint64_t LimitedMemory::taken() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(ledger().taken, 0));
}

std::uint64_t LimitedMemory::most() const {
    return static_cast<std::uint64_t>(ledger().most.load());
}

std::uint64_t LimitedMemory::refusals() const {
    return static_cast<std::uint64_t>(ledger().refusals.load());
}

}  // namespace moescope::tests
