// Image files to read.
#ifndef TESTS_TESTING_IMAGE_FILES_H_
#define TESTS_TESTING_IMAGE_FILES_H_

#include <cstdint>
#include <string>

namespace seq2seq {

inline std::string FromHex(const std::string& digits) {
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Eight by six pixels: red on the left, on the right blue in the JPEG and WebP files and
// transparent in the PNG file.
inline std::string JpegFile() {
  return FromHex(
      "ffd8ffe000104a46494600010100000100010000ffdb00430002010101010102010101020202020204030202"
      "02020504040304060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a"
      "0affdb004301020202020202050303050a0706070a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
      "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0affc000110800060008030122000211010311"
      "01ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b5100002010303"
      "020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f024"
      "33627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a63646566"
      "6768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7"
      "b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffc400"
      "1f0100030101010101010101010000000000000102030405060708090a0bffc400b511000201020404030407"
      "05040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a"
      "162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a63646566676869"
      "6a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9"
      "bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9faffda000c030100"
      "02110311003f00fcd1fdaabfe603ff006f5ffb468a28aff54be84bff0028c5907fdcd7fea6e24fd03e97dff2"
      "9139dffdcb7fea261cffd9");
}

inline std::string PngFile() {
  return FromHex(
      "89504e470d0a1a0a0000000d4948445200000008000000060806000000fe05dffb0000002c49444154081d4d"
      "c1b101000008c320f2ffd1ba163ace888c8e3322a3e38cc8e83823323ace888c8e3322e3014f060c07e6b6eb"
      "880000000049454e44ae426082");
}

inline std::string WebpFile() {
  return FromHex(
      "5249464624000000574542505650384c170000002f074001000f10f3bffff31f0e008248f0df6b22a2ff2100");
}

// An image in the simplest format that OpenCV reads, every pixel of one color.
inline std::string PpmFile(int height, int width, uint8_t red, uint8_t green, uint8_t blue) {
  std::string bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int i = 0; i < height * width; ++i) {
    bytes += static_cast<char>(red);
    bytes += static_cast<char>(green);
    bytes += static_cast<char>(blue);
  }
  return bytes;
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_IMAGE_FILES_H_
