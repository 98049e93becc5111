#include "seq2seq/tune/search_space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

bool IsLog(const Parameter& parameter) {
  return parameter.distribution == Distribution::kLogUniform ||
         parameter.distribution == Distribution::kLogInt;
}

bool IsInt(const Parameter& parameter) {
  return parameter.distribution == Distribution::kInt ||
         parameter.distribution == Distribution::kLogInt;
}

// Between two values of a parameter that has a finite number of them; 0 otherwise.
double StepOf(const Parameter& parameter) {
  if (parameter.distribution == Distribution::kCategorical) return 1;
  if (parameter.step > 0) return parameter.step;
  return IsInt(parameter) ? 1 : 0;
}

// What the unit interval spans: finite values have a step of it each.
std::pair<double, double> Span(const Parameter& parameter) {
  if (parameter.distribution == Distribution::kCategorical)
    return {-0.5, static_cast<double>(parameter.values.size()) - 0.5};
  const double step = StepOf(parameter);
  const double steps = step > 0 ? std::floor((parameter.max - parameter.min) / step + 1e-9) : 0;
  const double last = step > 0 ? parameter.min + steps * step : parameter.max;
  const double low = parameter.min - step / 2, high = last + step / 2;
  if (IsLog(parameter)) return {std::log(low), std::log(high)};
  return {low, high};
}

// No sweep comes near this number of points, whose products must not overflow.
constexpr int64_t kMostPoints = int64_t{1} << 50;

double RoundToDigits(double value) {
  constexpr int kDigits = 4;
  if (value == 0) return 0;
  // Through text, so that the number is the one that its text gives.
  double rounded = value;
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value,
                                 std::chars_format::scientific, kDigits - 1)
                       .ptr;
  std::from_chars(buffer, end, rounded);
  return rounded;
}

}  // namespace

bool SearchSpace::IsActive(size_t index, const Point& point) const {
  const std::optional<Condition>& when = parameters_[index].when;
  if (!when) return true;
  const std::optional<double>& other = point[when->parameter];
  if (!other) return false;
  const std::string text = Text(when->parameter, *other);
  return std::find(when->values.begin(), when->values.end(), text) != when->values.end();
}

size_t SearchSpace::NumValues(size_t index) const {
  const Parameter& parameter = parameters_[index];
  if (parameter.distribution == Distribution::kCategorical) return parameter.values.size();
  const double step = StepOf(parameter);
  if (step == 0) return parameter.min == parameter.max ? 1 : 0;
  return static_cast<size_t>((parameter.max - parameter.min) / step + 1e-9) + 1;
}

double SearchSpace::FromUnit(size_t index, double unit) const {
  const Parameter& parameter = parameters_[index];
  const auto [low, high] = Span(parameter);
  double value = low + unit * (high - low);
  if (IsLog(parameter)) value = std::exp(value);
  const double step = StepOf(parameter);
  if (step == 0) return std::clamp(RoundToDigits(value), parameter.min, parameter.max);
  const double first = parameter.distribution == Distribution::kCategorical ? 0 : parameter.min;
  const auto last = static_cast<double>(NumValues(index) - 1);
  const double number = std::clamp(std::round((value - first) / step), 0.0, last);
  return IsInt(parameter) || number == 0 ? first + number * step
                                         : RoundToDigits(first + number * step);
}

std::pair<double, double> SearchSpace::UnitRange(size_t index, double value) const {
  const Parameter& parameter = parameters_[index];
  const auto [low, high] = Span(parameter);
  const double width = high - low;
  const double half = StepOf(parameter) / 2;
  const auto unit = [&, low = low](double at) {
    const double place = IsLog(parameter) ? std::log(at) : at;
    return width > 0 ? std::clamp((place - low) / width, 0.0, 1.0) : 0.5;
  };
  return {unit(value - half), unit(value + half)};
}

std::string SearchSpace::Text(size_t index, double value) const {
  const Parameter& parameter = parameters_[index];
  if (parameter.distribution == Distribution::kCategorical)
    return parameter.values[static_cast<size_t>(value)];
  if (IsInt(parameter)) return absl::StrCat(static_cast<int64_t>(std::llround(value)));
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
  return std::string(buffer, end);
}

std::optional<double> SearchSpace::FromText(size_t index, absl::string_view text) const {
  const Parameter& parameter = parameters_[index];
  if (parameter.distribution == Distribution::kCategorical) {
    const auto found = std::find(parameter.values.begin(), parameter.values.end(), text);
    if (found == parameter.values.end()) return std::nullopt;
    return static_cast<double>(found - parameter.values.begin());
  }
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !(value >= parameter.min && value <= parameter.max))
    return std::nullopt;
  return value;
}

std::vector<std::string> SearchSpace::Assignments(const Point& point) const {
  std::vector<std::string> assignments;
  for (size_t i = 0; i < size(); ++i) {
    if (point[i]) assignments.push_back(absl::StrCat(parameters_[i].key, "=", Text(i, *point[i])));
  }
  return assignments;
}

int64_t SearchSpace::GridSize(size_t index, Point& point) const {
  if (index == size()) return 1;
  point[index].reset();
  if (!IsActive(index, point)) return GridSize(index + 1, point);
  const bool is_asked = std::any_of(parameters_.begin(), parameters_.end(), [&](const auto& other) {
    return other.when && other.when->parameter == index;
  });
  const size_t count = NumValues(index);
  const auto value = [&](size_t number) {
    return FromUnit(index, (static_cast<double>(number) + 0.5) / static_cast<double>(count));
  };
  if (!is_asked) {
    point[index] = value(0);
    const int64_t rest = GridSize(index + 1, point);
    const auto factor = static_cast<int64_t>(count);
    return rest > kMostPoints / factor ? kMostPoints : rest * factor;
  }
  int64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    point[index] = value(i);
    total = std::min(kMostPoints, total + GridSize(index + 1, point));
  }
  return total;
}

int64_t SearchSpace::GridSize() const {
  for (size_t i = 0; i < size(); ++i) {
    if (NumValues(i) == 0) return 0;
  }
  Point point(size());
  return GridSize(0, point);
}

Point SearchSpace::GridPoint(int64_t number) const {
  Point point(size());
  for (size_t i = 0; i < size(); ++i) {
    if (!IsActive(i, point)) continue;
    const size_t count = NumValues(i);
    for (size_t v = 0; v < count; ++v) {
      point[i] = FromUnit(i, (static_cast<double>(v) + 0.5) / static_cast<double>(count));
      Point rest = point;
      const int64_t below = GridSize(i + 1, rest);
      if (number < below) break;
      number -= below;
    }
  }
  return point;
}

}  // namespace seq2seq
