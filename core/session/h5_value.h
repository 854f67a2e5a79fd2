// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/session/h5_handle.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Internal to core/session: typed attributes and datasets. Readers check class, rank and size
/// before they allocate, and follow nothing that leads out of the file (soft and external links,
/// external and virtual datasets), since a session may come from anywhere; all throw
/// Error(BadSession) or a write error.
namespace moescope::session::h5 {

void writeAttribute(hid_t object, const char* name, std::string_view value);
void writeAttribute(hid_t object, const char* name, const std::vector<std::string>& values);
void writeAttribute(hid_t object, const char* name, std::int64_t value);
void writeAttribute(hid_t object, const char* name, const std::vector<std::int32_t>& values);

[[nodiscard]] bool hasAttribute(hid_t object, const char* name);
[[nodiscard]] std::string readString(hid_t object, const char* name);
[[nodiscard]] std::string readString(hid_t object, const char* name, std::string_view fallback);
[[nodiscard]] std::vector<std::string> readStrings(hid_t object, const char* name);
[[nodiscard]] std::int64_t readInteger(hid_t object, const char* name);
[[nodiscard]] std::int64_t readInteger(hid_t object, const char* name, std::int64_t fallback);
[[nodiscard]] std::vector<std::int32_t> readIntegers(hid_t object, const char* name);

[[nodiscard]] Group createGroup(hid_t parent, const std::string& path, const char* nxClass);
[[nodiscard]] Group openGroup(hid_t parent, const std::string& path);
[[nodiscard]] bool exists(hid_t parent, const std::string& path);  ///< every link on the way exists
[[nodiscard]] std::vector<std::string> childNames(hid_t group);
[[nodiscard]] bool isGroup(hid_t parent, const std::string& name);

enum class Storage {
    Deflated,  ///< in chunks with shuffle and deflate 1 when larger than a few KB
    Plain      ///< as it is: read as fast as the file is
};
/// A dataset ready to be filled.
[[nodiscard]] Dataset createDataset(hid_t parent, const std::string& name, ElementType type,
                                    const Shape& shape, Storage storage = Storage::Deflated);
void writeDataset(hid_t parent, const std::string& name, const NdArray& values);
void writeText(hid_t parent, const std::string& name, std::string_view text);
void writeTexts(hid_t parent, const std::string& name, const std::vector<std::string>& texts);

struct DatasetInfo {
    ElementType type = ElementType::F32;
    Shape shape;
};
[[nodiscard]] Dataset openDataset(hid_t parent, const std::string& name);
[[nodiscard]] DatasetInfo describe(const Dataset& dataset);
[[nodiscard]] NdArray readDataset(hid_t parent, const std::string& name);
/// Elements start .. start + count of each axis.
[[nodiscard]] NdArray readSlab(const Dataset& dataset, const Shape& start, const Shape& count);
void writeSlab(const Dataset& dataset, const Shape& start, const Shape& count,
               const NdArray& values);
[[nodiscard]] std::string readText(hid_t parent, const std::string& name);
[[nodiscard]] std::vector<std::string> readTexts(hid_t parent, const std::string& name);

}  // namespace moescope::session::h5
