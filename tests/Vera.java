import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Judges one PDF for each line of standard input, "flavour TAB path", so that the JVM starts once for many files.
 * Answers with a line for each broken rule, "clause-test TAB description TAB location", then "done" or "error TAB why".
 */
public final class Vera {
  public static void main(String[] arguments) throws Exception {
    // veraPDF and its libraries write to standard output as they please; the answers go where it used to lead.
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    VeraGreenfieldFoundryProvider.initialise();
    BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = asked.readLine(); line != null; line = asked.readLine()) {
      String[] parts = line.split("\t", 2);
      try {
        judge(PDFAFlavour.fromString(parts[0]), parts[1], answers);
        answers.println("done");
      } catch (Exception | LinkageError broken) {
        answers.println("error\t" + oneLine(broken.toString()));
      }
    }
  }

  private static void judge(PDFAFlavour flavour, String path, PrintStream answers) throws Exception {
    try (FileInputStream file = new FileInputStream(path);
        PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
        PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
      ValidationResult result = validator.validate(parser);
      for (TestAssertion assertion : result.getTestAssertions()) {
        answers.println(
            assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber()
                + "\t" + oneLine(assertion.getMessage())
                + "\t" + oneLine(assertion.getLocation().getContext()));
      }
      if (!result.isCompliant() && result.getTestAssertions().isEmpty()) {
        answers.println("0-0\tnot compliant, and no rule named\t");
      }
    }
  }

  private static String oneLine(String text) {
    return text == null ? "" : text.replaceAll("\\s+", " ");
  }
}
