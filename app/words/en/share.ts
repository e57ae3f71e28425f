export const words = {
  'link.model':
    'Only the character’s vector travels, in the address itself; nothing is stored anywhere. Whoever opens this page with {model} can follow it.',
  'link.company':
    'Only the character’s vector travels, in the address itself; nothing is stored anywhere. It opens for those who have the company that this character was taught in: give them its file once, and links from then on.',
  'form.role': 'The character as rehearsed',
  'form.role.about':
    'One file for this page: weights, card and face. It plays wherever the same model is loaded.',
  'form.pack': 'The whole company',
  'form.pack.about': 'Everybody of the company in one file, with all that is needed to go on teaching.',
  'form.charx': 'A character for every program (CHARX)',
  'form.charx.about': 'SillyTavern and RisuAI open it as an ordinary character; here the weights in it play.',
  'form.png': 'A picture with the card in it (PNG)',
  'form.png.about': 'The text alone, in the form that most programs read. No weights.',
  'form.json': 'The card as text (JSON)',
  'form.json.about': 'Character Card V3. No weights.',
  'form.peft': 'A LoRA for PyTorch (PEFT)',
  'form.peft.about':
    'A folder as PEFT reads it, zipped: exactly this character, for the model in PyTorch’s form.',
  'form.gguf': 'A LoRA for llama.cpp (GGUF)',
  'form.gguf.about': 'Exactly this character, for the model as a GGUF file.',
  'link.sameModel': 'the same model',
  link: 'A link',
  notThis: 'Not this one: {reason}.',
  'link.address': 'The link',
  'link.copy': 'Copy the link',
  'link.hideCode': 'Hide the code',
  'link.showCode': 'Show it as a code',
  'link.code': 'The link as a QR code',
  'link.tooLong': 'The link is too long for a code.',
  title: 'Share {name}',
  byWeights:
    'Weights of its own play this character. What you share is yours to give: mind whose words it learnt.',
  byText: 'A text plays this character, on any model.',
  others: 'For other programs',
  packing: 'Packing…',
  save: 'Save {size}',
} as const
