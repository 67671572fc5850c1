import java.util.HexFormat;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.Oid;

/** Prints first tokens of Java's Kerberos for each service, in hexadecimal: plain, mutual, and with a forwarded ticket. */
public class GssTokens {
  public static void main(String[] words) throws Exception {
    GSSManager manager = GSSManager.getInstance();
    Oid kerberos = new Oid("1.2.840.113554.1.2.2");
    for (String word : words) {
      GSSName service = manager.createName(word, GSSName.NT_HOSTBASED_SERVICE);
      for (int kind = 0; kind < 3; kind++) {
        GSSContext context = manager.createContext(service, kerberos, (GSSCredential) null, GSSContext.DEFAULT_LIFETIME);
        context.requestMutualAuth(kind > 0);
        context.requestCredDeleg(kind > 1);
        System.out.println(HexFormat.of().formatHex(context.initSecContext(new byte[0], 0, 0)));
        context.dispose();
      }
    }
  }
}
