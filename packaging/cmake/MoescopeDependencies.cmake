# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Finds every third-party library once; targets link them by the names given here.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)

# The C API of serial HDF5, with the high-level library for dimension scales.
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 1.10 REQUIRED COMPONENTS C HL)
add_library(moescope_hdf5 INTERFACE)
target_link_libraries(moescope_hdf5 INTERFACE ${HDF5_C_LIBRARIES} ${HDF5_C_HL_LIBRARIES})
target_include_directories(moescope_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(moescope_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})

if(MOESCOPE_ENGINE)
    include(MoescopeTorch)
endif()

if(MOESCOPE_GUI)
    find_package(Qt6 6.4 REQUIRED COMPONENTS Core Gui Widgets Svg PrintSupport)
    find_package(QCustomPlotQt6 REQUIRED)
    if(BUILD_TESTING)
        find_package(Qt6 6.4 REQUIRED COMPONENTS Test)
    endif()
endif()

if(BUILD_TESTING)
    find_package(Catch2 REQUIRED)
endif()
