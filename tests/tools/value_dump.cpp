// value-dump CORE < EXPRESSIONS: what values/ says about package variables and expressions over
// them, as in a function of package main without variables; one JSON object a line.
#include <iostream>
#include <map>
#include <string>

#include "core_images.h"
#include "target/core_file.h"
#include "target/dwarf.h"
#include "values/evaluate.h"
#include "values/format_value.h"
#include "values/program_context.h"

using namespace cgo;

namespace {

class PackageMain final : public NameScope {
 public:
  Result<Datum> variable(std::string_view) const override {
    return Error{ErrorCode::not_found, "no variables of a function"};
  }
  std::string package() const override { return "main"; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  auto core = CoreFile::open(argv[argc - 1]);
  if (!core) {
    std::cerr << core.error().message << '\n';
    return 1;
  }
  const auto images = std::make_shared<const ImageMap>(images_of(**core));
  const SplicedReader memory({*core, image_file_reader(images)});
  std::map<std::string, Result<std::shared_ptr<const DwarfInfo>>> opened;
  const DwarfSource dwarf = [&](const Image& image) {
    auto known = opened.find(image.path);
    if (known == opened.end())
      known = opened.emplace(image.path, DwarfInfo::open(image.file)).first;
    return known->second;
  };
  const GoRuntimes runtimes = find_go_runtimes(memory, *images, dwarf);
  const ProgramContext context(
      {.memory = &memory, .images = images.get(), .runtimes = &runtimes, .dwarf = dwarf});
  const PackageMain scope;
  for (std::string line; std::getline(std::cin, line);) {
    Evaluator evaluator(context, &scope);
    Evaluation result = evaluator.evaluate(line);
    Value value{.name = line};
    if (result.datum)
      value = read_value(context, line, *std::move(result.datum));
    else
      value.error = Error{ErrorCode::not_found, format_expression_error(line, *result.failure)};
    std::cout << (std::string(argv[1]) == "--text" ? format_text(value)
                                                   : format_json(value) + "\n");
  }
}
