#pragma once

#include "values/evaluate.h"
#include "values/operand.h"

namespace cgo {

/// One evaluation of a tree. Internal to the evaluator.
class EvaluatorWalk {
 public:
  EvaluatorWalk(const ValueContext& context, const NameScope* scope, MadeTypes& types)
      : context_(context), scope_(scope), types_(types) {}

  Evaluation run(const Expression& tree);

 private:
  using Tree = Expression;
  const MemoryReader& memory() const { return context_.memory(); }

  /// Remembers the innermost place of a failure.
  Error fail(const Tree& tree, Error error);
  Error fail(const Tree& tree, ErrorCode code, std::string message) {
    return fail(tree, Error{code, std::move(message)});
  }
  template <class T>
  Result<T> at(const Tree& tree, Result<T> result) {
    if (!result) return fail(tree, std::move(result).error());
    return result;
  }

  // evaluate.cpp
  Result<Operand> operand(const Tree& tree);
  /// What a reference of C++ stands for; any other operand as it is.
  Result<Operand> referred(const Tree& tree);
  /// A value with a type; constants get their default one.
  Result<Datum> value(const Tree& tree);
  Result<Operand> dereference(const Tree& tree);
  Result<Operand> address(const Tree& tree);
  Result<Operand> call(const Tree& tree);
  Result<Operand> length_of(const Tree& tree, bool capacity);
  Result<Operand> part_of_complex(const Tree& tree, bool imaginary);
  Result<Operand> joined_complex(const Tree& tree);

  // evaluate_constants.cpp
  Result<Operand> literal(const Tree& tree);
  Result<Datum> as_value(const Tree& tree, Operand operand);
  Result<Number> taken_as(const Tree& tree, const Operand& operand, const Type* type);

  // evaluate_conversions.cpp
  Result<Operand> convert(const Tree& tree, const Type* type, const Operand& from);
  Result<Operand> convert_constant(const Tree& tree, const Type* type, const Operand& from);
  Result<Operand> convert_to_pointer(const Tree& tree, const Type* type, const Operand& from);
  Result<Operand> convert_to_text(const Tree& tree, const Type* type, const Datum& from);

  // evaluate_interfaces.cpp
  Result<Operand> assertion(const Tree& tree);
  Result<Operand> as_interface(const Tree& tree, const Type* type, const Datum& interface);
  Result<Operand> convert_to_interface(const Tree& tree, const Type* type, const Operand& from);
  const Type* type_to_hold(const Operand& other) const;
  Result<void> check_holdable(const Tree& tree, const Type* interface, const Operand& other);
  Result<bool> holds(const Tree& tree, const Datum& interface, const Operand& other);

  // evaluate_names.cpp
  Result<Operand> name(const Tree& tree);
  Result<Operand> field(const Tree& tree);
  Result<Datum> variable(const std::string& name);
  std::optional<Result<Datum>> near_variable(const std::string& name);
  Result<const Type*> type(const Tree& tree);
  /// What a tree says as the name of a type: "*main.T", "map[string]int".
  Result<std::string> type_name(const Tree& tree);
  std::string c_type(const std::string& name) const;
  std::string near_type(const std::string& name, const std::string& whole);
  Result<const Type*> made_type(const Tree& tree);
  Error unknown_name(const std::string& name);

  // evaluate_packages.cpp
  /// The variable "rand.Reader" of a package that is written as source code does; not_found when
  /// no package has it, unsupported when several do.
  Result<Datum> package_variable(const std::string& package, const std::string& name);
  /// The whole name of the type "rand.Rand", or as written where no package is found to have it;
  /// unsupported when several do.
  Result<std::string> package_type(const std::string& package, const std::string& name);
  /// The whole names that are to be tried for "package.name", those that come first alone in front.
  std::vector<std::vector<std::string>> whole_names(const std::string& package,
                                                    const std::string& name) const;

  // evaluate_parts.cpp
  Result<Operand> index(const Tree& tree);
  Result<Operand> pointer_element(const Tree& tree, const Datum& pointer, const Datum& target);
  Result<Operand> slice_element(const Tree& tree, const Datum& slice);
  Result<Operand> constant_text_element(const Tree& tree, const std::string& text);
  Result<Operand> text_element(const Tree& tree, const Datum& text);
  Result<Operand> array_element(const Tree& tree, const Datum& array);
  Result<Operand> slice(const Tree& tree);
  struct Sliced {
    const Type* type = nullptr;     ///< Of the result, where it is Go's.
    const Type* element = nullptr;  ///< Null for text.
    Address data;
    std::uint64_t length = 0, capacity = 0;
    bool c_array = false;
  };
  Result<Sliced> sliced(const Tree& tree, Datum base);
  Result<Sliced> sliced_array(const Tree& tree, const Datum& array);
  Result<std::uint64_t> position(const Tree& tree, std::uint64_t most);
  Datum made_words(const Type* type, std::initializer_list<std::uint64_t> words);

  // evaluate_keys.cpp
  Result<Operand> map_element(const Tree& tree, const Datum& map, const Operand& key);
  Result<Operand> wanted_key(const Tree& tree, const Type* type, const Operand& key);
  Result<bool> is_key(const Tree& tree, const Datum& key, const Operand& wanted);

  // evaluate_operators.cpp
  Result<Operand> binary(const Tree& tree);
  Result<Operand> logical(const Tree& tree);
  Result<Operand> comparison(const Tree& tree, const Operand& left, const Operand& right);
  Result<Operand> equality(const Tree& tree, const Operand& left, const Operand& right);
  Result<Operand> with_nil(const Tree& tree, const Datum& value);
  Result<std::optional<std::string>> text_of(const Operand& operand);
  Result<bool> truth_of(const Tree& tree, const Operand& operand);
  /// A result of && or || or !, of the operands' type where they have one.
  Operand truth_like(const Operand& operand, bool value);

  // evaluate_arithmetic.cpp
  Result<Operand> unary(const Tree& tree);
  Result<Operand> arithmetic(const Tree& tree, const Operand& left, const Operand& right);
  Result<Operand> shifted(const Tree& tree, const Operand& left, const Operand& right);
  Result<Operand> typed(const Tree& tree, const Type* type, const Number& number, bool constant);
  /// The type that both sides of an operator have or take; null for two untyped constants.
  Result<const Type*> common_type(const Tree& tree, const Operand& left, const Operand& right);
  Result<const Type*> common_c_type(const Tree& tree, const Datum& left, const Datum& right);
  Result<const Type*> type_with_constant(const Tree& tree, const Datum& value,
                                         const Operand& constant);

  const ValueContext& context_;
  const NameScope* scope_;
  MadeTypes& types_;
  std::optional<TextRange> failed_at_;
};

}  // namespace cgo
