// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/h5_value.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>

namespace moescope::session::h5 {
namespace {

constexpr std::size_t kMaxAttributeBytes = std::size_t{1} << 26U;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 28U;
constexpr std::uint64_t kCompressFrom = 4096;
constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 19U;
constexpr int kMaxRank = 8;

hid_t memoryType(ElementType type) {
    switch (type) {
        case ElementType::F32:
            return H5T_NATIVE_FLOAT;
        case ElementType::F64:
            return H5T_NATIVE_DOUBLE;
        case ElementType::U8:
            return H5T_NATIVE_UINT8;
        case ElementType::U16:
            return H5T_NATIVE_UINT16;
        case ElementType::U32:
            return H5T_NATIVE_UINT32;
        case ElementType::U64:
            return H5T_NATIVE_UINT64;
        case ElementType::I32:
            return H5T_NATIVE_INT32;
        case ElementType::I64:
            return H5T_NATIVE_INT64;
    }
    return -1;
}

/// Little-endian on disk whatever the machine.
hid_t fileType(ElementType type) {
    switch (type) {
        case ElementType::F32:
            return H5T_IEEE_F32LE;
        case ElementType::F64:
            return H5T_IEEE_F64LE;
        case ElementType::U8:
            return H5T_STD_U8LE;
        case ElementType::U16:
            return H5T_STD_U16LE;
        case ElementType::U32:
            return H5T_STD_U32LE;
        case ElementType::U64:
            return H5T_STD_U64LE;
        case ElementType::I32:
            return H5T_STD_I32LE;
        case ElementType::I64:
            return H5T_STD_I64LE;
    }
    return -1;
}

std::optional<ElementType> elementType(hid_t type) {
    const std::size_t size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
        case H5T_FLOAT:
            if (size == 4) {
                return ElementType::F32;
            }
            return size == 8 ? std::optional(ElementType::F64) : std::nullopt;
        case H5T_INTEGER: {
            const bool isSigned = H5Tget_sign(type) == H5T_SGN_2;
            switch (size) {
                case 1:
                    return isSigned ? std::nullopt : std::optional(ElementType::U8);
                case 2:
                    return isSigned ? std::nullopt : std::optional(ElementType::U16);
                case 4:
                    return isSigned ? ElementType::I32 : ElementType::U32;
                case 8:
                    return isSigned ? ElementType::I64 : ElementType::U64;
                default:
                    return std::nullopt;
            }
        }
        default:
            return std::nullopt;
    }
}

/// Fixed-length UTF-8, zero padded. Variable-length strings live in HDF5's global heap, whose
/// reader in 1.10 crashes on damaged files; so this format has none, and a file that has some is
/// refused.
Type stringType(std::size_t length) {
    Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), std::max<std::size_t>(1, length));
    H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    return type;
}

/// All texts in one buffer, each padded to the longest.
struct PackedTexts {
    std::size_t length = 1;
    std::string buffer;
};

PackedTexts pack(std::span<const std::string> texts) {
    PackedTexts packed;
    for (const std::string& text : texts) {
        packed.length = std::max(packed.length, text.size());
    }
    for (const std::string& text : texts) {
        packed.buffer += text;
        packed.buffer.append(packed.length - text.size(), '\0');
    }
    return packed;
}

Space simpleSpace(const Shape& shape) {
    if (shape.empty()) {
        return Space(H5Screate(H5S_SCALAR));
    }
    const std::vector<hsize_t> dims(shape.begin(), shape.end());
    return Space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
}

Shape shapeOf(hid_t space, hid_t object) {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > kMaxRank) {
        failReading(object, fmt::format("an array of {} dimensions", rank));
    }
    std::array<hsize_t, kMaxRank> dims{};
    H5Sget_simple_extent_dims(space, dims.data(), nullptr);
    return {dims.begin(), dims.begin() + rank};
}

Attribute makeAttribute(hid_t object, const char* name, hid_t type, const Shape& shape) {
    if (H5Aexists(object, name) > 0) {
        H5Adelete(object, name);
    }
    const Space space = simpleSpace(shape);
    Attribute attribute(H5Acreate2(object, name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    if (!attribute.valid()) {
        failWriting(object, fmt::format("attribute {}", name));
    }
    return attribute;
}

void writeRaw(const Attribute& attribute, hid_t object, const char* name, hid_t type,
              const void* data) {
    if (H5Awrite(attribute.get(), type, data) < 0) {
        failWriting(object, fmt::format("attribute {}", name));
    }
}

Attribute openAttribute(hid_t object, const char* name) {
    Attribute attribute(H5Aopen(object, name, H5P_DEFAULT));
    if (!attribute.valid()) {
        failReading(object, fmt::format("attribute {}", name));
    }
    if (H5Aget_storage_size(attribute.get()) > kMaxAttributeBytes) {
        failReading(object, fmt::format("attribute {} (too large)", name));
    }
    return attribute;
}

/// Fixed-length strings of any number, from an attribute or a dataset through `read`.
template <typename Read>
std::vector<std::string> decodeStrings(hid_t object, const std::string& what, hid_t type,
                                       hid_t space, Read read) {
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) {
        failReading(object, what + " (fixed-length text expected)");
    }
    const std::uint64_t count = elementCount(shapeOf(space, object));
    std::vector<std::string> out(count);
    if (count == 0) {
        return out;
    }
    const std::size_t size = H5Tget_size(type);
    if (size == 0 || size > kMaxTextBytes / count) {
        failReading(object, what + " (too large)");
    }
    std::string buffer(size * count, '\0');
    if (read(type, static_cast<void*>(buffer.data())) < 0) {
        failReading(object, what);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        out[i].assign(buffer.data() + i * size, strnlen(buffer.data() + i * size, size));
    }
    return out;
}

/// One chunk holds about half a megabyte: whole trailing axes, then as many rows as fit; the first
/// axis of a stacked dataset is the layer, so that one layer is read without touching another.
std::vector<hsize_t> chunkShape(const Shape& shape, std::size_t elementSize) {
    std::vector<hsize_t> chunk(shape.size(), 1);
    std::uint64_t budget = std::max<std::uint64_t>(1, kChunkBytes / elementSize);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        chunk[axis] = std::max<std::uint64_t>(1, std::min(shape[axis], budget));
        budget = std::max<std::uint64_t>(1, budget / chunk[axis]);
    }
    return chunk;
}

/// A few bytes on disk must not make us allocate gigabytes: deflate cannot do better than about 1 :
/// 1032.
void refuseBomb(const Dataset& dataset, std::uint64_t bytes) {
    const std::uint64_t stored = H5Dget_storage_size(dataset.get());
    if (bytes > 4096 && bytes / 1100 > stored) {
        failReading(dataset.get(),
                    fmt::format("{} bytes of which only {} are stored", bytes, stored));
    }
}

}  // namespace

void writeAttribute(hid_t object, const char* name, std::string_view value) {
    const std::string text(value);
    const PackedTexts packed = pack({&text, 1});
    const Type type = stringType(packed.length);
    const Attribute attribute = makeAttribute(object, name, type.get(), {});
    std::string padded = packed.buffer;
    padded.resize(packed.length);
    writeRaw(attribute, object, name, type.get(), padded.data());
}

void writeAttribute(hid_t object, const char* name, const std::vector<std::string>& values) {
    const PackedTexts packed = pack(values);
    const Type type = stringType(packed.length);
    const Attribute attribute = makeAttribute(object, name, type.get(), {values.size()});
    if (!values.empty()) {
        writeRaw(attribute, object, name, type.get(), packed.buffer.data());
    }
}

void writeAttribute(hid_t object, const char* name, std::int64_t value) {
    const Attribute attribute = makeAttribute(object, name, H5T_STD_I64LE, {});
    writeRaw(attribute, object, name, H5T_NATIVE_INT64, &value);
}

void writeAttribute(hid_t object, const char* name, const std::vector<std::int32_t>& values) {
    const Attribute attribute = makeAttribute(object, name, H5T_STD_I32LE, {values.size()});
    if (!values.empty()) {
        writeRaw(attribute, object, name, H5T_NATIVE_INT32, values.data());
    }
}

bool hasAttribute(hid_t object, const char* name) {
    return H5Aexists(object, name) > 0;
}

std::vector<std::string> readStrings(hid_t object, const char* name) {
    const Attribute attribute = openAttribute(object, name);
    const Type type(H5Aget_type(attribute.get()));
    const Space space(H5Aget_space(attribute.get()));
    return decodeStrings(
        object, fmt::format("attribute {}", name), type.get(), space.get(),
        [&](hid_t memory, void* out) { return H5Aread(attribute.get(), memory, out); });
}

std::string readString(hid_t object, const char* name) {
    auto values = readStrings(object, name);
    if (values.size() != 1) {
        failReading(object, fmt::format("attribute {} (one text expected)", name));
    }
    return std::move(values.front());
}

std::string readString(hid_t object, const char* name, std::string_view fallback) {
    return hasAttribute(object, name) ? readString(object, name) : std::string(fallback);
}

std::vector<std::int32_t> readIntegers(hid_t object, const char* name) {
    const Attribute attribute = openAttribute(object, name);
    const Type type(H5Aget_type(attribute.get()));
    const Space space(H5Aget_space(attribute.get()));
    const std::uint64_t count = elementCount(shapeOf(space.get(), object));
    if (H5Tget_class(type.get()) != H5T_INTEGER || count > kMaxAttributeBytes) {
        failReading(object, fmt::format("attribute {} (integers expected)", name));
    }
    std::vector<std::int32_t> values(count);
    if (count > 0 && H5Aread(attribute.get(), H5T_NATIVE_INT32, values.data()) < 0) {
        failReading(object, fmt::format("attribute {}", name));
    }
    return values;
}

std::int64_t readInteger(hid_t object, const char* name) {
    const Attribute attribute = openAttribute(object, name);
    const Type type(H5Aget_type(attribute.get()));
    const Space space(H5Aget_space(attribute.get()));
    std::int64_t value = 0;
    if (H5Tget_class(type.get()) != H5T_INTEGER ||
        elementCount(shapeOf(space.get(), object)) != 1 ||
        H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) < 0) {
        failReading(object, fmt::format("attribute {} (one integer expected)", name));
    }
    return value;
}

std::int64_t readInteger(hid_t object, const char* name, std::int64_t fallback) {
    return hasAttribute(object, name) ? readInteger(object, name) : fallback;
}

namespace {

/// False where the path breaks off. Throws at a soft, external or user-defined link: a session that
/// came from somewhere must not make us open other files.
bool isInside(hid_t parent, const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string head = path.substr(0, end);
        if (H5Lexists(parent, head.c_str(), H5P_DEFAULT) <= 0) {
            return false;
        }
        H5L_info_t info{};
        if (H5Lget_info(parent, head.c_str(), &info, H5P_DEFAULT) < 0 ||
            info.type != H5L_TYPE_HARD) {
            failReading(parent, fmt::format("{} (a link that leads elsewhere)", head));
        }
        if (end == std::string::npos) {
            return true;
        }
    }
}

void requireInside(hid_t parent, const std::string& path) {
    if (!isInside(parent, path)) {
        failReading(parent, path);
    }
}

/// The values of a dataset may lie in other files too: raw ones, or parts of other datasets.
void requireOwnValues(const Dataset& dataset) {
    const Properties properties(H5Dget_create_plist(dataset.get()));
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    const bool plain = layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED;
    if (!plain || H5Pget_external_count(properties.get()) != 0) {
        failReading(dataset.get(), "values that lie in other files");
    }
}

}  // namespace

Group createGroup(hid_t parent, const std::string& path, const char* nxClass) {
    if (exists(parent, path)) {
        return openGroup(parent, path);
    }
    const Properties links(H5Pcreate(H5P_LINK_CREATE));
    H5Pset_create_intermediate_group(links.get(), 1);
    Group group(H5Gcreate2(parent, path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT));
    if (!group.valid()) {
        failWriting(parent, fmt::format("group {}", path));
    }
    writeAttribute(group.get(), "NX_class", std::string_view(nxClass));
    return group;
}

Group openGroup(hid_t parent, const std::string& path) {
    requireInside(parent, path);
    Group group(H5Gopen2(parent, path.c_str(), H5P_DEFAULT));
    if (!group.valid()) {
        failReading(parent, fmt::format("group {}", path));
    }
    return group;
}

bool exists(hid_t parent, const std::string& path) {
    return isInside(parent, path);
}

std::vector<std::string> childNames(hid_t group) {
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
        // Links out of the file are never followed.
        if (info->type == H5L_TYPE_HARD) {
            static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        }
        return 0;
    };
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) {
        failReading(group, "the list of members");
    }
    return names;
}

bool isGroup(hid_t parent, const std::string& name) {
    requireInside(parent, name);
    const Object object(H5Oopen(parent, name.c_str(), H5P_DEFAULT));
    return object.valid() && H5Iget_type(object.get()) == H5I_GROUP;
}

namespace {
Dataset createDataset(hid_t parent, const std::string& name, hid_t type, std::size_t elementSize,
                      const Shape& shape, Storage storage) {
    const Space space = simpleSpace(shape);
    const Properties properties(H5Pcreate(H5P_DATASET_CREATE));
    if (storage == Storage::Deflated && !shape.empty() &&
        elementCount(shape) * elementSize >= kCompressFrom) {
        const auto chunk = chunkShape(shape, elementSize);
        H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data());
        H5Pset_shuffle(properties.get());
        H5Pset_deflate(properties.get(), 1);
    }
    Dataset dataset(H5Dcreate2(parent, name.c_str(), type, space.get(), H5P_DEFAULT,
                               properties.get(), H5P_DEFAULT));
    if (!dataset.valid()) {
        failWriting(parent, fmt::format("dataset {}", name));
    }
    return dataset;
}
}  // namespace

Dataset createDataset(hid_t parent, const std::string& name, ElementType type, const Shape& shape,
                      Storage storage) {
    return createDataset(parent, name, fileType(type), sizeOf(type), shape, storage);
}

void writeDataset(hid_t parent, const std::string& name, const NdArray& values) {
    const Dataset dataset = createDataset(parent, name, values.type(), values.shape());
    if (!values.empty() && H5Dwrite(dataset.get(), memoryType(values.type()), H5S_ALL, H5S_ALL,
                                    H5P_DEFAULT, values.bytes().data()) < 0) {
        failWriting(dataset.get(), "values");
    }
}

namespace {
void writePacked(hid_t parent, const std::string& name, const Shape& shape,
                 const PackedTexts& packed) {
    const Type type = stringType(packed.length);
    const Dataset dataset =
        createDataset(parent, name, type.get(), packed.length, shape, Storage::Deflated);
    if (!packed.buffer.empty() && H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                           packed.buffer.data()) < 0) {
        failWriting(dataset.get(), "text");
    }
}
}  // namespace

void writeText(hid_t parent, const std::string& name, std::string_view text) {
    const std::string copy(text);
    writePacked(parent, name, {1}, pack({&copy, 1}));
}

void writeTexts(hid_t parent, const std::string& name, const std::vector<std::string>& texts) {
    writePacked(parent, name, {texts.size()}, pack(texts));
}

Dataset openDataset(hid_t parent, const std::string& name) {
    Dataset dataset(isInside(parent, name) ? H5Dopen2(parent, name.c_str(), H5P_DEFAULT) : -1);
    if (!dataset.valid()) {
        failReading(parent, fmt::format("dataset {}", name));
    }
    requireOwnValues(dataset);
    return dataset;
}

DatasetInfo describe(const Dataset& dataset) {
    const Type type(H5Dget_type(dataset.get()));
    const Space space(H5Dget_space(dataset.get()));
    const auto element = elementType(type.get());
    if (!element) {
        failReading(dataset.get(), "an array of this element type");
    }
    return {*element, shapeOf(space.get(), dataset.get())};
}

NdArray readDataset(hid_t parent, const std::string& name) {
    const Dataset dataset = openDataset(parent, name);
    const DatasetInfo info = describe(dataset);
    refuseBomb(dataset, elementCount(info.shape) * sizeOf(info.type));
    NdArray values(info.type, info.shape);
    if (!values.empty() && H5Dread(dataset.get(), memoryType(info.type), H5S_ALL, H5S_ALL,
                                   H5P_DEFAULT, values.bytes().data()) < 0) {
        failReading(dataset.get(), "values");
    }
    return values;
}

NdArray readSlab(const Dataset& dataset, const Shape& start, const Shape& count) {
    const DatasetInfo info = describe(dataset);
    if (start.size() != info.shape.size() || count.size() != info.shape.size()) {
        failReading(dataset.get(), "a slice of another rank");
    }
    for (std::size_t axis = 0; axis < start.size(); ++axis) {
        if (start[axis] > info.shape[axis] || count[axis] > info.shape[axis] - start[axis]) {
            failReading(dataset.get(), fmt::format("elements beyond the end of axis {}", axis));
        }
    }
    refuseBomb(dataset, elementCount(count) * sizeOf(info.type));
    NdArray values(info.type, count);
    if (values.empty()) {
        return values;
    }
    const Space file(H5Dget_space(dataset.get()));
    const Space memory = simpleSpace(count);
    const std::vector<hsize_t> from(start.begin(), start.end());
    const std::vector<hsize_t> extent(count.begin(), count.end());
    if (!from.empty()) {
        H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, from.data(), nullptr, extent.data(),
                            nullptr);
    }
    if (H5Dread(dataset.get(), memoryType(info.type), memory.get(), file.get(), H5P_DEFAULT,
                values.bytes().data()) < 0) {
        failReading(dataset.get(), "values");
    }
    return values;
}

void writeSlab(const Dataset& dataset, const Shape& start, const Shape& count,
               const NdArray& values) {
    if (values.empty()) {
        return;
    }
    const Space file(H5Dget_space(dataset.get()));
    const Space memory = simpleSpace(count);
    const std::vector<hsize_t> from(start.begin(), start.end());
    const std::vector<hsize_t> extent(count.begin(), count.end());
    if (H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, from.data(), nullptr, extent.data(),
                            nullptr) < 0 ||
        H5Dwrite(dataset.get(), memoryType(values.type()), memory.get(), file.get(), H5P_DEFAULT,
                 values.bytes().data()) < 0) {
        failWriting(dataset.get(), "values");
    }
}

std::vector<std::string> readTexts(hid_t parent, const std::string& name) {
    const Dataset dataset = openDataset(parent, name);
    const Type type(H5Dget_type(dataset.get()));
    const Space space(H5Dget_space(dataset.get()));
    if (H5Tget_class(type.get()) == H5T_STRING) {
        refuseBomb(dataset,
                   elementCount(shapeOf(space.get(), dataset.get())) * H5Tget_size(type.get()));
    }
    return decodeStrings(
        dataset.get(), "texts", type.get(), space.get(), [&](hid_t memory, void* out) {
            return H5Dread(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
        });
}

std::string readText(hid_t parent, const std::string& name) {
    auto texts = readTexts(parent, name);
    if (texts.size() != 1) {
        failReading(parent, fmt::format("text {}", name));
    }
    return std::move(texts.front());
}

}  // namespace moescope::session::h5
