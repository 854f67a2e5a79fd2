// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/pickle.h"

#include "core/base/byte_reader.h"
#include "core/base/error.h"
#include "core/checkpoint/pickle_value.h"
#include "core/checkpoint/stored_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

namespace moescope::checkpoint {
namespace {

using Kind = PickleValue::Kind;

/// The largest published models have about 10^5 tensors of some 40 instructions each.
constexpr std::uint64_t kMaxInstructions = std::uint64_t{1} << 23U;
constexpr std::uint64_t kMaxValues = std::uint64_t{1} << 22U;  ///< on the stack, and remembered
constexpr std::uint8_t kNewestProtocol = 5;

/// Instructions, named as in Python's pickletools.
enum Opcode : std::uint8_t {
    Mark = '(',
    Stop = '.',
    BinFloat = 'G',
    BinInt = 'J',
    BinInt1 = 'K',
    BinInt2 = 'M',
    None = 'N',
    BinPersid = 'Q',
    Reduce = 'R',
    BinUnicode = 'X',
    Append = 'a',
    Build = 'b',
    GlobalName = 'c',
    Appends = 'e',
    BinGet = 'h',
    LongBinGet = 'j',
    BinPut = 'q',
    LongBinPut = 'r',
    SetItem = 's',
    Tuple = 't',
    SetItems = 'u',
    EmptyDict = '}',
    EmptyList = ']',
    EmptyTuple = ')',
    Proto = 0x80,
    NewObj = 0x81,
    Tuple1 = 0x85,
    Tuple2 = 0x86,
    Tuple3 = 0x87,
    NewTrue = 0x88,
    NewFalse = 0x89,
    Long1 = 0x8A,
    ShortBinUnicode = 0x8C,
    StackGlobal = 0x93,
    Memoize = 0x94,
    Frame = 0x95
};

class Machine {
public:
    Machine(std::span<const std::byte> pickle, std::string_view where)
        : m_reader(pickle, where), m_where(where) {}

    /// What the pickle leaves on the stack.
    PickleValue run() {
        for (std::uint64_t i = 0; i < kMaxInstructions; ++i) {
            const auto opcode = m_reader.number<std::uint8_t>();
            if (opcode == Stop) {
                if (m_stack.size() != 1 || !m_marks.empty()) {
                    malformed("leaves more or less than one value");
                }
                return m_stack.back();
            }
            step(opcode);
        }
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: the pickle has more than {} instructions, more than any state "
                                "dict.",
                                m_where, kMaxInstructions));
    }

    [[nodiscard]] const PickleHeap& heap() const noexcept { return m_heap; }

private:
    [[noreturn]] void malformed(std::string_view problem) const {
        throwDamaged(m_where, fmt::format("the pickle {} (byte {})", problem, m_reader.position()));
    }

    void step(std::uint8_t opcode) {
        if (!pushConstant(opcode) && !pushCompound(opcode) && !change(opcode)) {
            const bool printable = std::isprint(opcode) != 0;
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{}: the pickle holds the instruction 0x{:02X}{} at byte {}, "
                                    "which no state dict of tensors needs; it was not run. Get the "
                                    "model as safetensors.",
                                    m_where, opcode,
                                    printable ? fmt::format(" ('{}')", static_cast<char>(opcode))
                                              : std::string(),
                                    m_reader.position() - 1));
        }
    }

    void push(PickleValue value) {
        if (m_stack.size() >= kMaxValues) {
            malformed("needs a stack larger than any state dict's");
        }
        m_stack.push_back(value);
    }
    void push(Kind kind, std::int64_t number) { push(PickleValue{kind, number}); }
    void pushText(std::uint64_t bytes) { push(PickleValue{Kind::Text, 0, m_reader.text(bytes)}); }

    /// The value on top of the stack, above the innermost mark.
    PickleValue& top() {
        if (m_stack.size() <= (m_marks.empty() ? 0 : m_marks.back())) {
            malformed("takes a value from an empty stack");
        }
        return m_stack.back();
    }
    PickleValue pop() {
        const PickleValue value = top();
        m_stack.pop_back();
        return value;
    }
    std::vector<PickleValue> popToMark() {
        if (m_marks.empty()) {
            malformed("has no mark to go back to");
        }
        const auto begin = m_stack.begin() + static_cast<std::ptrdiff_t>(m_marks.back());
        std::vector<PickleValue> values(begin, m_stack.end());
        m_stack.erase(begin, m_stack.end());
        m_marks.pop_back();
        return values;
    }
    std::vector<PickleValue> popMany(std::size_t count) {
        std::vector<PickleValue> values(count);
        for (std::size_t i = count; i-- > 0;) {
            values[i] = pop();
        }
        return values;
    }

    bool pushConstant(std::uint8_t opcode) {
        switch (opcode) {
            case None:
                push(Kind::None, 0);
                return true;
            case NewTrue:
            case NewFalse:
                push(Kind::Bool, opcode == NewTrue ? 1 : 0);
                return true;
            case BinInt:
                push(Kind::Integer, m_reader.number<std::int32_t>());
                return true;
            case BinInt1:
                push(Kind::Integer, m_reader.number<std::uint8_t>());
                return true;
            case BinInt2:
                push(Kind::Integer, m_reader.number<std::uint16_t>());
                return true;
            case Long1:
                push(Kind::Integer, readLong());
                return true;
            case BinFloat:
                m_reader.skip(8);
                push(Kind::Float, 0);
                return true;
            case BinUnicode:
                pushText(m_reader.number<std::uint32_t>());
                return true;
            case ShortBinUnicode:
                pushText(m_reader.number<std::uint8_t>());
                return true;
            default:
                return false;
        }
    }

    bool pushCompound(std::uint8_t opcode) {
        switch (opcode) {
            case EmptyDict:
                push(m_heap.dict());
                return true;
            case EmptyList:
                push(m_heap.sequence(Kind::List, {}));
                return true;
            case EmptyTuple:
                push(m_heap.sequence(Kind::Tuple, {}));
                return true;
            case Tuple:
                push(m_heap.sequence(Kind::Tuple, popToMark()));
                return true;
            case Tuple1:
            case Tuple2:
            case Tuple3:
                push(m_heap.sequence(Kind::Tuple, popMany(opcode - Tuple1 + 1U)));
                return true;
            case GlobalName: {
                const std::string_view module = readLine();
                push(pickleGlobal(module, readLine(), m_where));
                return true;
            }
            case StackGlobal: {
                const auto names = popMany(2);
                if (!names[0].is(Kind::Text) || !names[1].is(Kind::Text)) {
                    malformed("names a function by something that is no text");
                }
                push(pickleGlobal(names[0].text, names[1].text, m_where));
                return true;
            }
            case BinPersid:
                push(pickleStorage(m_heap, pop(), m_where));
                return true;
            case Reduce:
            case NewObj: {
                const auto call = popMany(2);
                if (!call[1].is(Kind::Tuple)) {
                    malformed("calls a function with something that is no tuple");
                }
                push(pickleCall(m_heap, call[0], m_heap.sequences[call[1].index()], m_where));
                return true;
            }
            default:
                return false;
        }
    }

    bool change(std::uint8_t opcode) {
        switch (opcode) {
            case Proto:
                if (m_reader.number<std::uint8_t>() > kNewestProtocol) {
                    malformed("is of a protocol that is not known");
                }
                return true;
            case Frame:
                m_reader.skip(8);
                return true;
            case Mark:
                if (m_marks.size() >= kMaxValues) {
                    malformed("needs more marks than any state dict");
                }
                m_marks.push_back(m_stack.size());
                return true;
            case BinPut:
                return put(m_reader.number<std::uint8_t>());
            case LongBinPut:
                return put(m_reader.number<std::uint32_t>());
            case Memoize:
                return put(static_cast<std::uint32_t>(m_memo.size()));
            case BinGet:
                return get(m_reader.number<std::uint8_t>());
            case LongBinGet:
                return get(m_reader.number<std::uint32_t>());
            case Append:
                return append(popMany(1));
            case Appends:
                return append(popToMark());
            case SetItem:
                return setItems(popMany(2));
            case SetItems:
                return setItems(popToMark());
            case Build:
                return build();
            default:
                return false;
        }
    }

    bool put(std::uint32_t key) {
        if (m_memo.size() >= kMaxValues) {
            malformed("remembers more values than any state dict");
        }
        m_memo[key] = top();
        return true;
    }
    bool get(std::uint32_t key) {
        const auto found = m_memo.find(key);
        if (found == m_memo.end()) {
            malformed(fmt::format("asks for the value {}, which it has not remembered", key));
        }
        push(found->second);
        return true;
    }
    bool append(const std::vector<PickleValue>& values) {
        if (!top().is(Kind::List)) {
            malformed("appends to something that is no list");
        }
        auto& list = m_heap.sequences[top().index()];
        list.insert(list.end(), values.begin(), values.end());
        return true;
    }
    bool setItems(const std::vector<PickleValue>& values) {
        if (!top().is(Kind::Dict) || values.size() % 2 != 0) {
            malformed("puts items into something that is no dict");
        }
        auto& dict = m_heap.dicts[top().index()];
        for (std::size_t i = 0; i < values.size(); i += 2) {
            dict.emplace_back(values[i], values[i + 1]);
        }
        return true;
    }
    /// A state dict carries attributes (`_metadata`, versions of modules) that no tensor needs.
    bool build() {
        static_cast<void>(pop());
        if (!top().is(Kind::Dict)) {
            malformed("sets attributes of something that is no dict");
        }
        return true;
    }

    std::int64_t readLong() {
        const auto digits = m_reader.bytes(m_reader.number<std::uint8_t>());
        if (digits.size() > sizeof(std::int64_t)) {
            malformed("holds an integer beyond 64 bits");
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(value); ++i) {
            const bool negative = !digits.empty() && std::to_integer<unsigned>(digits.back()) > 127;
            const std::uint64_t digit = i < digits.size()
                                            ? std::to_integer<std::uint64_t>(digits[i])
                                            : (negative ? std::uint64_t{0xFF} : 0);
            value |= digit << (8U * i);
        }
        return static_cast<std::int64_t>(value);
    }

    std::string_view readLine() {
        constexpr std::uint64_t kLongest = 1024;
        ByteReader ahead = m_reader;
        const std::string_view rest = ahead.text(std::min(ahead.left(), kLongest));
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) {
            malformed("names a function by a line without an end");
        }
        m_reader.skip(end + 1);
        return rest.substr(0, end);
    }

    ByteReader m_reader;
    std::string_view m_where;
    PickleHeap m_heap;
    std::vector<PickleValue> m_stack;
    std::vector<std::size_t> m_marks;
    std::unordered_map<std::uint32_t, PickleValue> m_memo;
};

PickledTensor describe(const PickleHeap& heap, std::string_view name, const PickleValue& value) {
    const PickleTensor& tensor = heap.tensors[value.index()];
    const PickleStorage& storage = heap.storages[tensor.storage];
    return {.name = std::string(name),
            .dtype = tensor.dtype,
            .storage = std::string(storage.key),
            .storageElements = storage.elements,
            .storageDtype = storage.dtype,
            .offset = tensor.offset,
            .shape = tensor.shape,
            .strides = tensor.strides};
}

}  // namespace

std::vector<PickledTensor> readStateDict(std::span<const std::byte> pickle,
                                         std::string_view where) {
    Machine machine(pickle, where);
    const PickleValue result = machine.run();
    if (!result.is(Kind::Dict)) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: the pickle holds no dict of tensors. Moescope reads state "
                                "dicts, as from torch.save(model.state_dict(), FILE).",
                                where));
    }
    const PickleHeap& heap = machine.heap();
    std::vector<PickledTensor> tensors;
    std::unordered_set<std::string_view> names;
    for (const auto& [key, value] : heap.dicts[result.index()]) {
        if (!key.is(Kind::Text) || !value.is(Kind::Tensor)) {
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{}: the entry \"{}\" of the state dict is no tensor. Moescope "
                                    "reads flat state dicts, as from torch.save(model.state_dict(),"
                                    " FILE).",
                                    where, key.is(Kind::Text) ? key.text : "?"));
        }
        if (!names.insert(key.text).second) {
            throwDamaged(where, fmt::format("the state dict holds \"{}\" twice", key.text));
        }
        tensors.push_back(describe(heap, key.text, value));
    }
    return tensors;
}

}  // namespace moescope::checkpoint
