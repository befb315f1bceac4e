#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "owners/holder_paths.h"
#include "owners/object_reader.h"
#include "owners/reachability.h"
#include "values/program_context.h"
#include "values/word_place.h"

namespace cgo {

/// A word of Go's memory as the program's source would write it.
struct TypedWord {
  /// From a variable on: "main.cache", "[3]", ".next", ".blob". Where types do not tell a step, it
  /// says so: "(0x38 bytes into an object of 96 bytes)".
  std::vector<std::string> path;
  /// The type of the object, or of the variable, that the word is a part of; empty when not known.
  std::string go_type;
  std::string field;  ///< The word within it: "blob", "[3].blob"; empty for a value itself.
  /// What is at the word: "unsafe.Pointer", "*main._Ctype_char", "uintptr"; empty when not known.
  std::string word_type;
};

/// "main.Owner.Blob", "map[string]int[…]"; the type alone for a value itself.
std::string type_and_field(const std::string& go_type, const std::string& field);

/// Names the words of objects along the ways that hold them: types begin at variables, at what
/// interfaces hold, and where the heap itself keeps them, and are followed from there. For one
/// thread; `go`, `reach` and `types` must outlive it.
class TypedPaths {
 public:
  TypedPaths(const GoMemory& go, const Reachability& reach, const ProgramContext& types)
      : go_(go), reach_(reach), types_(types), paths_(go, reach), pointers_(go) {}

  /// The word `offset` bytes into the element of `object`, which may be reached or not.
  TypedWord of_object(std::uint64_t object, std::uint64_t offset);
  /// The same without its path: for very many of them.
  TypedWord in_object(std::uint64_t object, std::uint64_t offset);
  /// A word that is a variable, or a part of one.
  TypedWord of_root(const GoRoot& root);

 private:
  /// What lies in an element: one value of a type or several.
  struct Content {
    const Type* type = nullptr;  // Null: not known.
    /// Where the one lies in the element that is counted as the first: the word that leads there
    /// points at it. A slice may begin behind others.
    std::uint64_t first = 0;
    bool counted = false;  // By a slice or the heap: an index is to be given.
  };
  struct Found {
    std::optional<WordPlace> place;
    std::string text;  // Of the step.
  };

  Found find(const Content& content, std::uint64_t object, std::uint64_t offset) const;
  const Type* held_by_interface(const Type& interface, Address at) const;
  Content behind(const WordPlace& place, Address word, std::uint64_t object);
  const Content& content_of(std::uint64_t object);
  Content own_type(std::uint64_t object);
  Content held_by_some_interface(Address word, std::uint64_t object) const;
  bool in_types(Address descriptor) const;
  Content content_at(const Found& from, Address word, std::uint64_t object);
  Found variable(const GoRoot& root, TypedWord& out) const;
  std::string element_text(std::uint64_t object, std::uint64_t offset) const;

  const GoMemory& go_;
  const Reachability& reach_;
  const ProgramContext& types_;
  HolderPaths paths_;
  ObjectReader pointers_;
  std::unordered_map<std::uint64_t, Content> contents_;
};

}  // namespace cgo
