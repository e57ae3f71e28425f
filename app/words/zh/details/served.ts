/** What is said of the models of this site, by its English in `public/models/index.json`. */
export const words: Readonly<Record<string, string>> = {
  'Fluent English, a little knowledge, and it stays in a part for a few turns. By Hugging Face, in 4 bits.':
    '英语流利，懂得不多，几轮之内不出戏。Hugging Face 出品，4 位。',
  'The starter, quick everywhere and trained for this project: small talk in a sentence or two, no knowledge, hardly any memory.':
    '入门的那个，在哪里都快，是为这个项目训练的：一两句闲话，没有知识，几乎没有记性。',
}
