# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The commands every CMakeLists.txt of the project uses: moescope_add_library, moescope_add_program,
# moescope_add_test. They give a target its language level, warnings, sanitizers and include root.

option(MOESCOPE_PRECOMPILED_HEADERS "Precompile LibTorch, Qt and Catch2 headers" ON)

find_program(MOESCOPE_CCACHE ccache)
if(MOESCOPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers carry time macros; ccache must be told not to refuse them. It must not be told to take
    # headers as they are: one that was edited while its user was compiled left an object that did not fit.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env "CCACHE_SLOPPINESS=pch_defines,time_macros"
        "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "CCACHE_NOHASHDIR=1" "${MOESCOPE_CCACHE}")
endif()

add_library(moescope_options INTERFACE)
target_compile_features(moescope_options INTERFACE cxx_std_20)
target_include_directories(moescope_options INTERFACE
    "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
target_compile_options(moescope_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast -Wcast-qual
    -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wundef -Wformat=2 -Wdouble-promotion
    -Wimplicit-fallthrough
    # When it optimises, GCC 12 sees overlaps, overflows and uninitialised bytes inside std::string where there are
    # none (GCC bugs 105329, 105651); the sanitizers of the asan preset look for real ones.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds>
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wsuggest-override -fpch-preprocess>
    $<$<BOOL:${MOESCOPE_WERROR}>:-Werror>
    $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS -g1>)
if(MOESCOPE_SANITIZE)
    target_compile_options(moescope_options INTERFACE
        -fsanitize=${MOESCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(moescope_options INTERFACE -fsanitize=${MOESCOPE_SANITIZE})
endif()

if(CMAKE_CXX_CLANG_TIDY)
    # What moc and rcc write is not held to our rules; clang-tidy refuses to run without any check.
    file(WRITE "${PROJECT_BINARY_DIR}/.clang-tidy" "Checks: '-*,misc-static-assert'\n")
endif()

# moc 6.4 stops at a concept of <concepts> when the header comes before Qt's own; it needs none of it.
set(CMAKE_AUTOMOC_MOC_OPTIONS -D_GLIBCXX_CONCEPTS -D_COMPARE)

if(MOESCOPE_FUZZ)
    # Coverage feedback for the libraries under the fuzzers.
    target_compile_options(moescope_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

set(MOESCOPE_QT_DEFINITIONS
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_CAST_FROM_BYTEARRAY QT_NO_URL_CAST_FROM_STRING
    QT_USE_QSTRINGBUILDER QT_NO_FOREACH QT_NO_NARROWING_CONVERSIONS_IN_CONNECT
    QT_DISABLE_DEPRECATED_BEFORE=0x060400)

# Warnings as errors would reject a target only because someone else's header warns; third-party
# include directories are therefore SYSTEM everywhere.
#
# moescope_add_library(NAME core_text FILES a.h a.cpp LINK moescope_core_base PRIVATE_LINK PkgConfig::PCRE2
#                      [PRECOMPILE <header>...] [QT])
# creates the static library moescope_core_text with alias moescope::core_text.
function(moescope_add_library)
    cmake_parse_arguments(ARG "QT" "NAME" "FILES;LINK;PRIVATE_LINK;PRECOMPILE" ${ARGN})
    set(target "moescope_${ARG_NAME}")
    add_library(${target} STATIC ${ARG_FILES})
    add_library("moescope::${ARG_NAME}" ALIAS ${target})
    target_link_libraries(${target} PUBLIC ${ARG_LINK} PRIVATE moescope_options ${ARG_PRIVATE_LINK})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_compile_features(${target} PUBLIC cxx_std_20)
    if(ARG_QT)
        target_compile_definitions(${target} PRIVATE ${MOESCOPE_QT_DEFINITIONS})
        set_target_properties(${target} PROPERTIES AUTOMOC ON AUTOUIC OFF)
    endif()
    if(ARG_PRECOMPILE AND MOESCOPE_PRECOMPILED_HEADERS)
        target_precompile_headers(${target} PRIVATE ${ARG_PRECOMPILE})
    endif()
endfunction()

# moescope_add_program(NAME moescope-engine FILES main.cpp LINK ... [QT])
function(moescope_add_program)
    cmake_parse_arguments(ARG "QT" "NAME" "FILES;LINK" ${ARGN})
    add_executable(${ARG_NAME} ${ARG_FILES})
    target_link_libraries(${ARG_NAME} PRIVATE moescope_options ${ARG_LINK})
    if(ARG_QT)
        target_compile_definitions(${ARG_NAME} PRIVATE ${MOESCOPE_QT_DEFINITIONS} QT_NO_KEYWORDS)
        set_target_properties(${ARG_NAME} PROPERTIES AUTOMOC ON)
    endif()
    install(TARGETS ${ARG_NAME} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
endfunction()

# moescope_add_test(core/text/corpus [FILES extra.cpp] LINK moescope_core_text [LABELS slow] [QT] [TIMEOUT 120])
# builds tests/core/text/corpus_test.cpp into test_core_text_corpus and registers it with CTest. QT links a
# main() with a QApplication on the offscreen platform. PRECOMPILE takes extra headers.
function(moescope_add_test path)
    if(NOT BUILD_TESTING)
        return()
    endif()
    cmake_parse_arguments(ARG "QT" "TIMEOUT" "FILES;LINK;LABELS;PRECOMPILE;DEPENDS" ${ARGN})
    string(REPLACE "/" "_" name "test_${path}")
    add_executable(${name} "${PROJECT_SOURCE_DIR}/tests/${path}_test.cpp" ${ARG_FILES})
    if(ARG_QT)
        target_link_libraries(${name} PRIVATE moescope_test_main_gui Qt6::Test)
        target_compile_definitions(${name} PRIVATE ${MOESCOPE_QT_DEFINITIONS})
        set_target_properties(${name} PROPERTIES AUTOMOC ON)
    else()
        target_link_libraries(${name} PRIVATE moescope_test_main)
    endif()
    target_link_libraries(${name} PRIVATE moescope_options ${ARG_LINK})
    if(ARG_PRECOMPILE AND MOESCOPE_PRECOMPILED_HEADERS)
        target_precompile_headers(${name} PRIVATE ${ARG_PRECOMPILE})
    endif()
    if(ARG_DEPENDS)
        add_dependencies(${name} ${ARG_DEPENDS})
    endif()
    add_test(NAME "${path}" COMMAND ${name})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    set_tests_properties("${path}" PROPERTIES
        TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;MOESCOPE_SOURCE_DIR=${PROJECT_SOURCE_DIR};MOESCOPE_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};OMP_NUM_THREADS=2")
endfunction()
