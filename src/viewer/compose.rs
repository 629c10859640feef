//! Dead keys: the letter that an accent makes of the next one, as X has it on keyboards of Europe. Pure.

use xkeysym::Keysym;

/// A dead key, its accent alone (by itself twice, and with the space bar), and pairs of a letter and what it becomes.
type Accent = (u32, char, char, &'static str);

/// As libX11's Compose file for UTF-8 has them; a letter that has an accent already takes no other, but for Greek.
#[rustfmt::skip]
const ACCENTS: [Accent; 15] = [
    (0xfe50, '`', '`', "aàAÀeèEÈiìIÌnǹNǸoòOÒuùUÙwẁWẀyỳYỲеѐЕЀиѝИЍ"),
    (0xfe51, '´', '\'', "aáAÁcćCĆeéEÉgǵGǴiíIÍkḱKḰlĺLĹmḿMḾnńNŃoóOÓpṕPṔrŕRŔsśSŚuúUÚwẃWẂyýYÝzźZŹåǻÅǺæǽÆǼøǿØǾαάΑΆεέΕΈηήΗΉιίΙΊ\
        οόΟΌυύΥΎωώΩΏϊΐϋΰгѓГЃкќКЌ"),
    (0xfe52, '^', '^', "0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹aâAÂcĉCĈeêEÊgĝGĜhĥHĤiîIÎjĵJĴoôOÔsŝSŜuûUÛwŵWŴyŷYŶzẑZẐ"),
    (0xfe53, '~', '~', "aãAÃeẽEẼiĩIĨnñNÑoõOÕuũUŨvṽVṼyỹYỸ"),
    (0xfe54, '¯', '¯', "aāAĀeēEĒgḡGḠiīIĪoōOŌuūUŪyȳYȲæǣÆǢиӣИӢуӯУӮ"),
    (0xfe55, '˘', '˘', "aăAĂeĕEĔgğGĞiĭIĬoŏOŎuŭUŬаӑАӐеӗЕӖжӂЖӁийИЙуўУЎ"),
    (0xfe56, '˙', '˙', "aȧAȦbḃBḂcċCĊdḋDḊeėEĖfḟFḞgġGĠhḣHḢiıIİjȷlŀLĿmṁMṀnṅNṄoȯOȮpṗPṖrṙRṘsṡSṠtṫTṪwẇWẆxẋXẊyẏYẎzżZŻ"),
    (0xfe57, '¨', '"', "aäAÄeëEËhḧHḦiïIÏoöOÖtẗuüUÜwẅWẄxẍXẌyÿYŸιϊΙΪυϋΥΫаӓАӒеёЕЁжӝЖӜзӟЗӞиӥИӤоӧОӦуӱУӰчӵЧӴыӹЫӸэӭЭӬіїІЇ"),
    (0xfe58, '°', '°', "aåAÅuůUŮwẘyẙ"),
    (0xfe59, '˝', '˝', "oőOŐuűUŰуӳУӲ"),
    (0xfe5a, 'ˇ', 'ˇ', "aǎAǍcčCČdďDĎeěEĚgǧGǦhȟHȞiǐIǏjǰkǩKǨlľLĽnňNŇoǒOǑrřRŘsšSŠtťTŤuǔUǓzžZŽ"),
    (0xfe5b, '¸', '¸', "cçCÇdḑDḐeȩEȨgģGĢhḩHḨkķKĶlļLĻnņNŅrŗRŖsşSŞtţTŢ"),
    (0xfe5c, '˛', '˛', "aąAĄeęEĘiįIĮoǫOǪuųUŲ"),
    (0xfe63, '/', '/', "AȺbƀBɃcȼCȻdđDĐeɇEɆgǥGǤhħHĦiɨIƗjɉJɈlłLŁoøOØrɍRɌtŧTŦuʉUɄyɏYɎzƶZƵ"),
    (0xfe6e, ',', ',', "sșSȘtțTȚ"),
];

/// Whether a key is an accent for the next one. Not every one of these has a letter here.
pub fn is_dead(keysym: u32) -> bool {
    matches!(keysym, 0xfe50..=0xfe6f | 0xfe80..=0xfe93)
}

/// What a dead key and the key after it make together.
pub fn composed(dead: u32, next: u32) -> Option<char> {
    let &(_, twice, spaced, pairs) = ACCENTS.iter().find(|accent| accent.0 == dead)?;
    match Keysym::new(next).key_char() {
        None => (next == dead).then_some(twice),
        Some(' ') => Some(spaced),
        Some(letter) => {
            // Each is followed by what it becomes.
            pairs.chars().zip(pairs.chars().skip(1)).step_by(2).find(|pair| pair.0 == letter).map(|pair| pair.1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_get_the_accent_before_them() {
        let all = |dead: u32, letters: &str| -> String {
            letters.chars().filter_map(|c| composed(dead, Keysym::from_char(c).raw())).collect()
        };
        assert_eq!(all(0xfe50, "aeiouAEIOU"), "àèìòùÀÈÌÒÙ");
        assert_eq!(all(0xfe51, "aeiouycnszåøαϊ"), "áéíóúýćńśźǻǿάΐ");
        assert_eq!(all(0xfe52, "aeiouâ2"), "âêîôû²");
        assert_eq!(all(0xfe53, "anoANO"), "ãñõÃÑÕ");
        assert_eq!(all(0xfe57, "aeiouyеі"), "äëïöüÿёї");
        assert_eq!(all(0xfe5a, "cdenrstzCDENRSTZ"), "čďěňřšťžČĎĚŇŘŠŤŽ");
        assert_eq!(all(0xfe58, "au") + &all(0xfe59, "ou") + &all(0xfe5b, "cst") + &all(0xfe5c, "ae"), "åůőűçşţąę");
        assert_eq!(all(0xfe63, "dhlo") + &all(0xfe6e, "st") + &all(0xfe55, "ag") + &all(0xfe56, "Iz"), "đħłøșțăğİż");
    }

    #[test]
    fn accents_stand_alone_or_not_at_all() {
        let twice = [0xfe50, 0xfe51, 0xfe52, 0xfe53, 0xfe57].map(|dead| composed(dead, dead));
        assert_eq!(twice, ['`', '´', '^', '~', '¨'].map(Some));
        let spaced = [0xfe50, 0xfe51, 0xfe52, 0xfe53, 0xfe57].map(|dead| composed(dead, 0x20));
        assert_eq!(spaced, ['`', '\'', '^', '~', '"'].map(Some));
        // What has no such letter, another accent, no letter at all, a dead key that is not known here.
        for (dead, next) in [(0xfe51, 0x71), (0xfe51, 0xfe50), (0xfe51, 0xff51), (0xfe8c, 0x61), (0xfe8c, 0xfe8c)] {
            assert_eq!(composed(dead, next), None, "{dead:#x} {next:#x}");
        }
        assert!(is_dead(0xfe50) && is_dead(0xfe8c) && !is_dead(0x61) && !is_dead(0xfe70) && !is_dead(0xfe03));
    }

    #[test]
    fn every_pair_is_whole() {
        for (dead, _, _, pairs) in ACCENTS {
            assert!(is_dead(dead) && pairs.chars().count() % 2 == 0, "{dead:#x}");
        }
    }
}
