// Search space of hyperparameters: parameters, their distributions, and points of the space.
#ifndef SEQ2SEQ_TUNE_SEARCH_SPACE_H_
#define SEQ2SEQ_TUNE_SEARCH_SPACE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace seq2seq {

// uniform, int          every value of the range is as likely
// log_uniform, log_int  every order of magnitude is: for learning rates, sizes
// categorical           every value of a list is, in no order
enum class Distribution { kUniform, kLogUniform, kInt, kLogInt, kCategorical };

inline std::vector<std::string> EnumTexts(Distribution) {
  return {"uniform", "log_uniform", "int", "log_int", "categorical"};
}

// A parameter that exists only where another one, which stands before it, has one of some values.
struct Condition {
  size_t parameter = 0;
  std::vector<std::string> values;

  bool operator==(const Condition&) const = default;
};

struct Parameter {
  std::string key;
  Distribution distribution = Distribution::kUniform;
  double min = 0;  // Of numbers; both ends are included.
  double max = 1;
  double step = 0;                  // uniform, int: values are min + k * step; 0 is none.
  std::vector<std::string> values;  // categorical.
  std::optional<Condition> when = {};

  bool operator==(const Parameter&) const = default;
};

// A value for each parameter: its number, or of a categorical one the index of its value. None for
// those whose condition does not hold.
using Point = std::vector<std::optional<double>>;

// Samplers compute in the unit interval, on which a numeric parameter is spread as its distribution
// says. Values of uniform and log_uniform are rounded to four significant digits, to be readable.
class SearchSpace {
 public:
  // The parameters must be valid: see sweep_options.h, which checks them.
  explicit SearchSpace(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}

  const std::vector<Parameter>& parameters() const { return parameters_; }
  size_t size() const { return parameters_.size(); }

  // Whether parameter `index` exists at `point`, whose values before it are set.
  bool IsActive(size_t index, const Point& point) const;

  // How many values parameter `index` can take; 0 for uniform and log_uniform without a step.
  size_t NumValues(size_t index) const;

  // The value at a place of the unit interval, 0 to 1.
  double FromUnit(size_t index, double unit) const;

  // The part of the unit interval that FromUnit maps to `value`: a point, begin = end, for
  // parameters of any value.
  std::pair<double, double> UnitRange(size_t index, double value) const;

  // The value as it stands behind "key=", and back; nullopt if `text` is no value of the parameter.
  std::string Text(size_t index, double value) const;
  std::optional<double> FromText(size_t index, absl::string_view text) const;

  // "key=value" of all active parameters, in their order.
  std::vector<std::string> Assignments(const Point& point) const;

  // The point of a number below GridSize, in the order in which the last parameter changes fastest.
  // All parameters have a finite number of values.
  Point GridPoint(int64_t number) const;

  // Number of points of the grid, without those that differ only in parameters that do not exist; 0
  // if a parameter has any value.
  int64_t GridSize() const;

 private:
  // Number of grid points of the parameters from `index` on, given the values before.
  int64_t GridSize(size_t index, Point& point) const;

  std::vector<Parameter> parameters_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_SEARCH_SPACE_H_
